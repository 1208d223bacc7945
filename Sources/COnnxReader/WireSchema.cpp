#include <initializer_list>
#include "WireSchema.h"

namespace sardonyx {
namespace {

// Highest field number of the table plus one.
constexpr uint32_t fieldLimit = 32;

struct Table {
    FieldRule rules[static_cast<int>(Kind::count)][fieldLimit] = {};

    constexpr void add(Kind in, Action action, uint16_t number, uint16_t moved = 0) {
        rules[static_cast<int>(in)][number] = {action, Kind::count, moved ? moved : number};
    }
    constexpr void message(Kind in, uint16_t number, Kind kind, uint16_t moved = 0) {
        rules[static_cast<int>(in)][number] = {Action::message, kind, moved ? moved : number};
    }
    template <typename... Numbers>
    constexpr void scalars(Kind in, Numbers... numbers) {
        (add(in, Action::scalar, numbers), ...);
    }
    template <typename... Numbers>
    constexpr void strings(Kind in, Numbers... numbers) {
        (add(in, Action::bytes, numbers), ...);
    }
};

constexpr Table makeTable() {
    Table t;
    t.scalars(Kind::model, 1, 5);       // ir_version, model_version
    t.strings(Kind::model, 2, 3, 4, 6);  // producer_name, producer_version, domain, doc_string
    t.message(Kind::model, 7, Kind::graph);
    t.message(Kind::model, 8, Kind::opset);
    t.message(Kind::model, 14, Kind::entry);     // metadata_props
    t.message(Kind::model, 25, Kind::function);  // training_info (20) is not for inference

    t.message(Kind::graph, 1, Kind::node);
    t.strings(Kind::graph, 2);  // name
    t.message(Kind::graph, 5, Kind::tensor);        // initializer
    t.message(Kind::graph, 11, Kind::valueInfo);    // input
    t.message(Kind::graph, 12, Kind::valueInfo);    // output
    t.message(Kind::graph, 13, Kind::valueInfo);    // value_info
    t.message(Kind::graph, 15, Kind::sparseTensor);  // sparse_initializer

    t.strings(Kind::node, 1, 2, 3, 4, 7);  // input, output, name, op_type, domain
    t.message(Kind::node, 5, Kind::attribute);
    t.add(Kind::node, Action::bytes, 8, movedNodeOverload);

    t.strings(Kind::function, 1, 4, 5, 6, 10);  // name, input, output, attribute, domain
    t.message(Kind::function, 7, Kind::node);
    t.message(Kind::function, 9, Kind::opset);
    t.message(Kind::function, 11, Kind::attribute, movedFunctionDefault);
    t.add(Kind::function, Action::bytes, 13, movedFunctionOverload);

    t.strings(Kind::attribute, 1, 4, 9, 21);     // name, s, strings, ref_attr_name
    t.scalars(Kind::attribute, 2, 3, 7, 8, 20);  // f, i, floats, ints, type
    t.message(Kind::attribute, 5, Kind::tensor);
    t.message(Kind::attribute, 6, Kind::graph);
    t.message(Kind::attribute, 10, Kind::tensor);
    t.message(Kind::attribute, 11, Kind::graph);
    t.message(Kind::attribute, 14, Kind::type);
    t.message(Kind::attribute, 15, Kind::type);
    t.message(Kind::attribute, 22, Kind::sparseTensor);
    t.message(Kind::attribute, 23, Kind::sparseTensor);

    t.scalars(Kind::tensor, 1, 2, 4, 5, 7, 10, 11, 14);  // dims, data_type, …_data, data_location
    t.strings(Kind::tensor, 6, 8);                       // string_data, name
    t.add(Kind::tensor, Action::raw, 9);
    t.message(Kind::tensor, 3, Kind::segment);
    t.message(Kind::tensor, 13, Kind::entry);  // external_data
    t.scalars(Kind::segment, 1, 2);

    t.message(Kind::sparseTensor, 1, Kind::tensor);
    t.message(Kind::sparseTensor, 2, Kind::tensor);
    t.scalars(Kind::sparseTensor, 3);

    t.strings(Kind::valueInfo, 1);
    t.message(Kind::valueInfo, 2, Kind::type);

    t.message(Kind::type, 1, Kind::tensorType);
    t.message(Kind::type, 4, Kind::sequenceType);
    t.message(Kind::type, 5, Kind::mapType);
    t.strings(Kind::type, 6);  // denotation
    t.message(Kind::type, 7, Kind::opaqueType);
    t.message(Kind::type, 8, Kind::tensorType);  // sparse_tensor_type has the same fields
    t.message(Kind::type, 9, Kind::optionalType);
    t.scalars(Kind::tensorType, 1);
    t.message(Kind::tensorType, 2, Kind::shape);
    t.message(Kind::sequenceType, 1, Kind::type);
    t.message(Kind::optionalType, 1, Kind::type);
    t.scalars(Kind::mapType, 1);
    t.message(Kind::mapType, 2, Kind::type);
    t.strings(Kind::opaqueType, 1, 2);
    t.message(Kind::shape, 1, Kind::dimension);
    t.scalars(Kind::dimension, 1);
    t.strings(Kind::dimension, 2, 3);

    t.strings(Kind::opset, 1);
    t.scalars(Kind::opset, 2);
    t.strings(Kind::entry, 1, 2);

    for (Kind holder : {Kind::sequence, Kind::optional}) {
        t.strings(holder, 1);
        t.scalars(holder, 2);
        t.message(holder, 3, Kind::tensor);
        t.message(holder, 4, Kind::sparseTensor);
        t.message(holder, 5, Kind::sequence);
        t.message(holder, 6, Kind::map);
        t.message(holder, 7, Kind::optional);
    }
    t.strings(Kind::map, 1, 4);  // name, string_keys
    t.scalars(Kind::map, 2, 3);  // key_type, keys
    t.message(Kind::map, 5, Kind::sequence);
    return t;
}

constexpr Table table = makeTable();

}  // namespace

FieldRule fieldRule(Kind kind, uint32_t number) {
    return number < fieldLimit ? table.rules[static_cast<int>(kind)][number] : FieldRule();
}

const char *kindName(Kind kind) {
    static constexpr const char *names[] = {
        "model", "graph", "node", "attribute", "tensor", "tensor segment", "sparse tensor", "value info", "function",
        "operator set", "metadata entry", "type", "tensor type", "sequence type", "map type", "optional type",
        "opaque type", "shape", "dimension", "sequence", "map", "optional",
    };
    static_assert(sizeof names / sizeof *names == static_cast<int>(Kind::count));
    return kind < Kind::count ? names[static_cast<int>(kind)] : "message";
}

}  // namespace sardonyx
