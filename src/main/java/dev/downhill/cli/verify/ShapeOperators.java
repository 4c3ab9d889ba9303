package dev.downhill.cli.verify;

import dev.downhill.tensor.Indexing;
import dev.downhill.tensor.Tensor;
import java.util.List;

/** Elements seen otherwise, joined, taken apart and picked. */
final class ShapeOperators {
  private ShapeOperators() {}

  static void addTo(Operators table) {
    views(table);
    joining(table);
    indexing(table);
  }

  private static void views(Operators table) {
    table.one("reshape", (call, a) -> call.in("input").reshape(a.integers("shape")));
    table.one("permute", (call, a) -> call.in("input").permute(a.dimList("dims")));
    table.one("transpose", (call, a) -> call.in("input").transpose(a.dim("dim0"), a.dim("dim1")));
    table.one("expand", (call, a) -> call.in("input").expand(a.integers("size")));
    table.one("unsqueeze", (call, a) -> call.in("input").unsqueeze(a.dim("dim")));
    table.one(
        "squeeze",
        (call, a) ->
            a.isNull("dim")
                ? call.in("input").squeeze()
                : call.in("input").squeeze(a.dimList("dim")));
    table.one(
        "narrow",
        (call, a) ->
            call.in("input").narrow(a.dim("dim"), a.integer("start"), a.integer("length")));
    table.one(
        "slice",
        (call, a) ->
            call.in("input")
                .slice(
                    a.dim("dim"),
                    a.integer("start", Long.MIN_VALUE),
                    a.integer("end", Long.MAX_VALUE),
                    a.integer("step")));
  }

  private static void joining(Operators table) {
    table.one("cat", (call, a) -> Tensor.cat(call.list("tensors"), a.dim("dim")));
    table.one("stack", (call, a) -> Tensor.stack(call.list("tensors"), a.dim("dim")));
    table.one("repeat", (call, a) -> call.in("input").repeat(a.integers("repeats")));
    table.several(
        "split",
        (call, a) -> {
          Tensor x = call.in("input");
          String sizes = "split_size_or_sections";
          List<Tensor> pieces =
              a.isList(sizes)
                  ? x.split(a.integers(sizes), a.dim("dim"))
                  : x.split(a.integer(sizes), a.dim("dim"));
          return Operators.numbered("output", pieces);
        });
  }

  private static void indexing(Operators table) {
    table.one("gather", (call, a) -> call.in("input").gather(a.dim("dim"), call.in("index")));
    table.one(
        "index_select", (call, a) -> call.in("input").indexSelect(a.dim("dim"), call.in("index")));
    table.one(
        "scatter_add",
        (call, a) -> call.in("input").scatterAdd(a.dim("dim"), call.in("index"), call.in("src")));
    table.one("one_hot", (call, a) -> Indexing.oneHot(call.in("input"), a.integer("num_classes")));
    table.one(
        "embedding",
        (call, a) ->
            a.isNull("padding_idx")
                ? Indexing.embedding(call.in("input"), call.in("weight"))
                : Indexing.embedding(
                    call.in("input"), call.in("weight"), a.integer("padding_idx")));
  }
}
