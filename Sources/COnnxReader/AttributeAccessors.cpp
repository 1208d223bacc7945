#include <google/protobuf/unknown_field_set.h>

#include "Handles.h"

using namespace sardonyx;

extern "C" {

sdx_string sdx_attribute_name(const sdx_attribute *attribute) { return view(in(attribute).name()); }
sdx_string sdx_attribute_reference(const sdx_attribute *attribute) { return view(in(attribute).ref_attr_name()); }

int32_t sdx_attribute_type_number(const sdx_attribute *attribute) {
    const auto &proto = in(attribute);
    if (proto.type() != 0) return proto.type();
    // An enumerator that libonnx does not know is kept as an unknown field.
    const auto &fields = proto.unknown_fields();
    for (int i = fields.field_count() - 1; i >= 0; i--) {
        const auto &field = fields.field(i);
        if (field.number() == onnx::AttributeProto::kTypeFieldNumber
            && field.type() == google::protobuf::UnknownField::TYPE_VARINT)
            return int32_t(field.varint());
    }
    static constexpr sdx_attribute_type order[] = {
        SDX_ATTRIBUTE_FLOAT, SDX_ATTRIBUTE_INT, SDX_ATTRIBUTE_STRING, SDX_ATTRIBUTE_TENSOR, SDX_ATTRIBUTE_GRAPH,
        SDX_ATTRIBUTE_SPARSE_TENSOR, SDX_ATTRIBUTE_TYPE, SDX_ATTRIBUTE_FLOATS, SDX_ATTRIBUTE_INTS,
        SDX_ATTRIBUTE_STRINGS, SDX_ATTRIBUTE_TENSORS, SDX_ATTRIBUTE_GRAPHS, SDX_ATTRIBUTE_SPARSE_TENSORS,
        SDX_ATTRIBUTE_TYPES,
    };
    for (sdx_attribute_type type : order)
        if (sdx_attribute_has(attribute, type)) return type;
    return SDX_ATTRIBUTE_UNDEFINED;
}

bool sdx_attribute_has(const sdx_attribute *attribute, sdx_attribute_type type) {
    const auto &proto = in(attribute);
    switch (type) {
    case SDX_ATTRIBUTE_FLOAT: return proto.has_f();
    case SDX_ATTRIBUTE_INT: return proto.has_i();
    case SDX_ATTRIBUTE_STRING: return proto.has_s();
    case SDX_ATTRIBUTE_TENSOR: return proto.has_t();
    case SDX_ATTRIBUTE_GRAPH: return proto.has_g();
    case SDX_ATTRIBUTE_SPARSE_TENSOR: return proto.has_sparse_tensor();
    case SDX_ATTRIBUTE_TYPE: return proto.has_tp();
    default: return sdx_attribute_count(attribute, type) > 0;
    }
}

float sdx_attribute_float(const sdx_attribute *attribute) { return in(attribute).f(); }
int64_t sdx_attribute_int(const sdx_attribute *attribute) { return in(attribute).i(); }
sdx_string sdx_attribute_string(const sdx_attribute *attribute) { return view(in(attribute).s()); }
const sdx_tensor *sdx_attribute_tensor(const sdx_attribute *attribute) {
    return in(attribute).has_t() ? out(in(attribute).t()) : nullptr;
}
const sdx_graph *sdx_attribute_graph(const sdx_attribute *attribute) {
    return in(attribute).has_g() ? out(in(attribute).g()) : nullptr;
}
const sdx_sparse_tensor *sdx_attribute_sparse_tensor(const sdx_attribute *attribute) {
    return in(attribute).has_sparse_tensor() ? out(in(attribute).sparse_tensor()) : nullptr;
}
const sdx_type *sdx_attribute_value_type(const sdx_attribute *attribute) {
    return in(attribute).has_tp() ? out(in(attribute).tp()) : nullptr;
}

sdx_floats sdx_attribute_floats(const sdx_attribute *attribute) {
    const auto &list = in(attribute).floats();
    return {list.data(), count(list)};
}
sdx_int64s sdx_attribute_ints(const sdx_attribute *attribute) { return int64s(in(attribute).ints()); }

size_t sdx_attribute_count(const sdx_attribute *attribute, sdx_attribute_type type) {
    const auto &proto = in(attribute);
    switch (type) {
    case SDX_ATTRIBUTE_FLOATS: return count(proto.floats());
    case SDX_ATTRIBUTE_INTS: return count(proto.ints());
    case SDX_ATTRIBUTE_STRINGS: return count(proto.strings());
    case SDX_ATTRIBUTE_TENSORS: return count(proto.tensors());
    case SDX_ATTRIBUTE_GRAPHS: return count(proto.graphs());
    case SDX_ATTRIBUTE_SPARSE_TENSORS: return count(proto.sparse_tensors());
    case SDX_ATTRIBUTE_TYPES: return count(proto.type_protos());
    default: return 0;
    }
}

sdx_string sdx_attribute_string_at(const sdx_attribute *attribute, size_t index) {
    return view(element(in(attribute).strings(), index));
}
const sdx_tensor *sdx_attribute_tensor_at(const sdx_attribute *attribute, size_t index) {
    return out(element(in(attribute).tensors(), index));
}
const sdx_graph *sdx_attribute_graph_at(const sdx_attribute *attribute, size_t index) {
    return out(element(in(attribute).graphs(), index));
}
const sdx_sparse_tensor *sdx_attribute_sparse_tensor_at(const sdx_attribute *attribute, size_t index) {
    return out(element(in(attribute).sparse_tensors(), index));
}
const sdx_type *sdx_attribute_value_type_at(const sdx_attribute *attribute, size_t index) {
    return out(element(in(attribute).type_protos(), index));
}

}  // extern "C"
