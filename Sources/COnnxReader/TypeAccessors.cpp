#include "Handles.h"

using namespace sardonyx;

namespace {

/// The shape of a tensor or sparse tensor; null where none is stated.
const onnx::TensorShapeProto *shape(const onnx::TypeProto &type) {
    if (type.has_tensor_type()) return type.tensor_type().has_shape() ? &type.tensor_type().shape() : nullptr;
    if (type.has_sparse_tensor_type())
        return type.sparse_tensor_type().has_shape() ? &type.sparse_tensor_type().shape() : nullptr;
    return nullptr;
}

}  // namespace

extern "C" {

sdx_string sdx_value_info_name(const sdx_value_info *info) { return view(in(info).name()); }
const sdx_type *sdx_value_info_type(const sdx_value_info *info) {
    return in(info).has_type() ? out(in(info).type()) : nullptr;
}

sdx_type_kind sdx_type_get_kind(const sdx_type *type) {
    switch (in(type).value_case()) {
    case onnx::TypeProto::kTensorType: return SDX_TYPE_TENSOR;
    case onnx::TypeProto::kSequenceType: return SDX_TYPE_SEQUENCE;
    case onnx::TypeProto::kMapType: return SDX_TYPE_MAP;
    case onnx::TypeProto::kOptionalType: return SDX_TYPE_OPTIONAL;
    case onnx::TypeProto::kSparseTensorType: return SDX_TYPE_SPARSE_TENSOR;
    case onnx::TypeProto::kOpaqueType: return SDX_TYPE_OPAQUE;
    default: return SDX_TYPE_NONE;
    }
}
sdx_string sdx_type_denotation(const sdx_type *type) { return view(in(type).denotation()); }

int32_t sdx_type_elem_type(const sdx_type *type) {
    const auto &proto = in(type);
    if (proto.has_tensor_type()) return proto.tensor_type().elem_type();
    return proto.has_sparse_tensor_type() ? proto.sparse_tensor_type().elem_type() : 0;
}
bool sdx_type_has_shape(const sdx_type *type) { return shape(in(type)) != nullptr; }
size_t sdx_type_dim_count(const sdx_type *type) {
    const auto *dims = shape(in(type));
    return dims ? count(dims->dim()) : 0;
}
sdx_dim sdx_type_dim(const sdx_type *type, size_t index) {
    const auto *dims = shape(in(type));
    if (!dims) __builtin_trap();
    const auto &dim = element(dims->dim(), index);
    sdx_dim result = {SDX_DIM_UNKNOWN, 0, emptyString, view(dim.denotation())};
    if (dim.has_dim_value()) {
        result.kind = SDX_DIM_VALUE;
        result.value = dim.dim_value();
    } else if (dim.has_dim_param()) {
        result.kind = SDX_DIM_PARAM;
        result.param = view(dim.dim_param());
    }
    return result;
}

const sdx_type *sdx_type_element(const sdx_type *type) {
    const auto &proto = in(type);
    if (proto.has_sequence_type())
        return proto.sequence_type().has_elem_type() ? out(proto.sequence_type().elem_type()) : nullptr;
    if (proto.has_optional_type())
        return proto.optional_type().has_elem_type() ? out(proto.optional_type().elem_type()) : nullptr;
    if (proto.has_map_type()) return proto.map_type().has_value_type() ? out(proto.map_type().value_type()) : nullptr;
    return nullptr;
}
int32_t sdx_type_map_key_type(const sdx_type *type) { return in(type).map_type().key_type(); }
sdx_string sdx_type_opaque_domain(const sdx_type *type) { return view(in(type).opaque_type().domain()); }
sdx_string sdx_type_opaque_name(const sdx_type *type) { return view(in(type).opaque_type().name()); }

}  // extern "C"
