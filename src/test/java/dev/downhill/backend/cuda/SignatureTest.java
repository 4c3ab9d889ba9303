package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.cuda.Signature.Kind;
import dev.downhill.backend.cuda.Signature.Parameter;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class SignatureTest {

  @Test
  void parse_readsEveryKindOfParameter() {
    String ptx =
        """
        .version 8.0
        .target sm_80
        .visible .entry scale_f32(
        	.param .u64 .ptr .align 1 scale_f32_param_0,
        	.param .f64 scale_f32_param_1,
        	.param .align 8 .b8 scale_f32_param_2[144],
        	.param .u32 scale_f32_param_3,
        	.param .align 4 .b8 scale_f32_param_4[8]
        )
        .maxntid 256
        {
        	ld.param.u64 	%rd1, [scale_f32_param_0];
        }
        .visible .entry nothing()
        {
        }
        """;
    assertThat(Signature.parse(ptx)).containsOnlyKeys("scale_f32", "nothing");
    assertThat(Signature.parse(ptx).get("nothing").parameters()).isEmpty();
    assertThat(Signature.parse(ptx).get("scale_f32").parameters())
        .containsExactly(
            new Parameter(Kind.INTEGER, 8, 8),
            new Parameter(Kind.FLOAT, 8, 8),
            new Parameter(Kind.STRUCT, 144, 8),
            new Parameter(Kind.INTEGER, 4, 4),
            new Parameter(Kind.STRUCT, 8, 4));
  }

  @Test
  void parse_ofTheShippedKernels_fitsTheWalk() throws Exception {
    for (String module : new String[] {"compute_75/copy_bf16", "compute_80/copy_bf16"}) {
      try (var in = CudaDevice.class.getResourceAsStream(module + ".ptx")) {
        Map<String, Signature> entries = Signature.parse(new String(in.readAllBytes(), "US-ASCII"));
        assertThat(entries.get("fill_bf16").parameters())
            .containsExactly(
                new Parameter(Kind.INTEGER, 8, 8),
                new Parameter(Kind.FLOAT, 8, 8),
                new Parameter(Kind.STRUCT, Walk.bytes(1), 8));
      }
    }
  }
}
