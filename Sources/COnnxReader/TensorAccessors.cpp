#include <google/protobuf/unknown_field_set.h>

#include <cstring>

#include "Handles.h"
#include "WireWalk.h"

using namespace sardonyx;

namespace {

/// The field in which a data type's elements stand where they are not raw.
sdx_data_kind prescribed(int32_t dataType) {
    switch (dataType) {
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::COMPLEX64: return SDX_DATA_FLOAT;
    case onnx::TensorProto::DOUBLE:
    case onnx::TensorProto::COMPLEX128: return SDX_DATA_DOUBLE;
    case onnx::TensorProto::INT64: return SDX_DATA_INT64;
    case onnx::TensorProto::UINT32:
    case onnx::TensorProto::UINT64: return SDX_DATA_UINT64;
    case onnx::TensorProto::STRING: return SDX_DATA_STRING;
    default: return SDX_DATA_INT32;
    }
}

template <typename List>
sdx_tensor_data list(sdx_data_kind kind, const List &values) {
    return {kind, values.empty() ? nullptr : static_cast<const void *>(values.data()), count(values)};
}

sdx_tensor_data typed(const onnx::TensorProto &tensor, sdx_data_kind kind) {
    switch (kind) {
    case SDX_DATA_FLOAT: return list(kind, tensor.float_data());
    case SDX_DATA_INT32: return list(kind, tensor.int32_data());
    case SDX_DATA_INT64: return list(kind, tensor.int64_data());
    case SDX_DATA_DOUBLE: return list(kind, tensor.double_data());
    case SDX_DATA_UINT64: return list(kind, tensor.uint64_data());
    case SDX_DATA_STRING: return {kind, nullptr, count(tensor.string_data())};
    default: return {SDX_DATA_NONE, nullptr, 0};
    }
}

sdx_tensor_data typed(const onnx::TensorProto &tensor) {
    sdx_tensor_data data = typed(tensor, prescribed(tensor.data_type()));
    for (int kind = SDX_DATA_FLOAT; kind <= SDX_DATA_UINT64 && data.count == 0; kind++)
        data = typed(tensor, sdx_data_kind(kind));
    return data.count ? data : sdx_tensor_data{SDX_DATA_NONE, nullptr, 0};
}

}  // namespace

extern "C" {

sdx_string sdx_tensor_name(const sdx_tensor *tensor) { return view(in(tensor).name()); }
int32_t sdx_tensor_data_type(const sdx_tensor *tensor) { return in(tensor).data_type(); }
sdx_int64s sdx_tensor_dims(const sdx_tensor *tensor) { return int64s(in(tensor).dims()); }
bool sdx_tensor_is_segment(const sdx_tensor *tensor) { return in(tensor).has_segment(); }

sdx_tensor_data sdx_tensor_get_data(const sdx_tensor *tensor) {
    const auto &proto = in(tensor);
    if (proto.data_location() == onnx::TensorProto::EXTERNAL) return {SDX_DATA_EXTERNAL, nullptr, 0};
    // A location that libonnx does not know is kept as an unknown field: the data are where we cannot say.
    const auto &fields = proto.unknown_fields();
    for (int i = 0; i < fields.field_count(); i++)
        if (fields.field(i).number() == onnx::TensorProto::kDataLocationFieldNumber) return {SDX_DATA_NONE, nullptr, 0};
    if (!proto.has_raw_data()) return typed(proto);
    RawSpan span;
    if (proto.raw_data().size() != sizeof span) __builtin_trap();
    std::memcpy(&span, proto.raw_data().data(), sizeof span);
    if (span.count) return {SDX_DATA_RAW, span.data, span.count};
    // Some writers leave an empty raw_data beside a filled list.
    sdx_tensor_data other = typed(proto);
    return other.count ? other : sdx_tensor_data{SDX_DATA_RAW, nullptr, 0};
}

sdx_string sdx_tensor_string(const sdx_tensor *tensor, size_t index) {
    return view(element(in(tensor).string_data(), index));
}
size_t sdx_tensor_external_count(const sdx_tensor *tensor) { return count(in(tensor).external_data()); }
sdx_entry sdx_tensor_external(const sdx_tensor *tensor, size_t index) {
    return entry(element(in(tensor).external_data(), index));
}

const sdx_tensor *sdx_sparse_tensor_values(const sdx_sparse_tensor *sparse) {
    return in(sparse).has_values() ? out(in(sparse).values()) : nullptr;
}
const sdx_tensor *sdx_sparse_tensor_indices(const sdx_sparse_tensor *sparse) {
    return in(sparse).has_indices() ? out(in(sparse).indices()) : nullptr;
}
sdx_int64s sdx_sparse_tensor_dims(const sdx_sparse_tensor *sparse) { return int64s(in(sparse).dims()); }

}  // extern "C"
