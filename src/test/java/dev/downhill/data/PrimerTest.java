package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PrimerTest {
  @Test
  void noTwoSentences_areTheSame() {
    Set<String> all = new HashSet<>();
    for (List<String> kind : Primer.kinds()) {
      kind.forEach(s -> assertThat(all.add(s)).as(s).isTrue());
    }
    assertThat(all)
        .contains(
            "three plus four is seven.",
            "the owl says hoo.",
            "after sunday comes monday.",
            "the big cow sits by the river.",
            "felix has five nuts, finds five more and has ten nuts.");
  }

  @Test
  void theEntropy_isWhatTheSentencesOfALongTextCost() {
    Map<String, Double> cost = new HashMap<>();
    for (List<String> kind : Primer.kinds()) {
      kind.forEach(s -> cost.put(s, Math.log(5) + Math.log(kind.size())));
    }
    String text = Primer.text(100_000, 3);
    double nats = text.lines().mapToDouble(s -> cost.getOrDefault(s, Double.NaN)).sum();
    assertThat(Primer.entropy()).isCloseTo(nats / text.length(), within(5e-4));
  }

  @Test
  void aSeed_givesItsText() {
    assertThat(Primer.text(50, 1)).isEqualTo(Primer.text(50, 1)).isNotEqualTo(Primer.text(50, 2));
    assertThat(Primer.text(60, 1)).startsWith(Primer.text(50, 1)).endsWith(".\n").hasLineCount(60);
  }
}
