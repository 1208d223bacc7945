#include <utility>

#include "Handles.h"

using namespace sardonyx;

namespace {

/// The opened message as `Proto`; null unless the file was opened as that kind.
template <typename Proto>
auto opened(const sdx_value *value, sdx_value_kind kind) -> decltype(out(std::declval<const Proto &>())) {
    const Document &document = in(value);
    return document.kind == kind ? out(static_cast<const Proto &>(*document.message)) : nullptr;
}

}  // namespace

extern "C" {

const sdx_tensor *sdx_value_tensor(const sdx_value *value) {
    return opened<onnx::TensorProto>(value, SDX_VALUE_TENSOR);
}
const sdx_sparse_tensor *sdx_value_sparse_tensor(const sdx_value *value) {
    return opened<onnx::SparseTensorProto>(value, SDX_VALUE_SPARSE_TENSOR);
}
const sdx_sequence *sdx_value_sequence(const sdx_value *value) {
    return opened<onnx::SequenceProto>(value, SDX_VALUE_SEQUENCE);
}
const sdx_map *sdx_value_map(const sdx_value *value) { return opened<onnx::MapProto>(value, SDX_VALUE_MAP); }
const sdx_optional *sdx_value_optional(const sdx_value *value) {
    return opened<onnx::OptionalProto>(value, SDX_VALUE_OPTIONAL);
}
const sdx_type *sdx_value_type(const sdx_value *value) { return opened<onnx::TypeProto>(value, SDX_VALUE_TYPE); }

// MARK: Sequence

sdx_string sdx_sequence_name(const sdx_sequence *sequence) { return view(in(sequence).name()); }
int32_t sdx_sequence_elem_type(const sdx_sequence *sequence) { return in(sequence).elem_type(); }
size_t sdx_sequence_count(const sdx_sequence *sequence, sdx_element_kind kind) {
    const auto &proto = in(sequence);
    switch (kind) {
    case SDX_ELEMENT_TENSOR: return count(proto.tensor_values());
    case SDX_ELEMENT_SPARSE_TENSOR: return count(proto.sparse_tensor_values());
    case SDX_ELEMENT_SEQUENCE: return count(proto.sequence_values());
    case SDX_ELEMENT_MAP: return count(proto.map_values());
    case SDX_ELEMENT_OPTIONAL: return count(proto.optional_values());
    default: return 0;
    }
}
const sdx_tensor *sdx_sequence_tensor(const sdx_sequence *sequence, size_t index) {
    return out(element(in(sequence).tensor_values(), index));
}
const sdx_sparse_tensor *sdx_sequence_sparse_tensor(const sdx_sequence *sequence, size_t index) {
    return out(element(in(sequence).sparse_tensor_values(), index));
}
const sdx_sequence *sdx_sequence_sequence(const sdx_sequence *sequence, size_t index) {
    return out(element(in(sequence).sequence_values(), index));
}
const sdx_map *sdx_sequence_map(const sdx_sequence *sequence, size_t index) {
    return out(element(in(sequence).map_values(), index));
}
const sdx_optional *sdx_sequence_optional(const sdx_sequence *sequence, size_t index) {
    return out(element(in(sequence).optional_values(), index));
}

// MARK: Optional

sdx_string sdx_optional_name(const sdx_optional *optional) { return view(in(optional).name()); }
int32_t sdx_optional_elem_type(const sdx_optional *optional) { return in(optional).elem_type(); }
const sdx_tensor *sdx_optional_tensor(const sdx_optional *optional) {
    return in(optional).has_tensor_value() ? out(in(optional).tensor_value()) : nullptr;
}
const sdx_sparse_tensor *sdx_optional_sparse_tensor(const sdx_optional *optional) {
    return in(optional).has_sparse_tensor_value() ? out(in(optional).sparse_tensor_value()) : nullptr;
}
const sdx_sequence *sdx_optional_sequence(const sdx_optional *optional) {
    return in(optional).has_sequence_value() ? out(in(optional).sequence_value()) : nullptr;
}
const sdx_map *sdx_optional_map(const sdx_optional *optional) {
    return in(optional).has_map_value() ? out(in(optional).map_value()) : nullptr;
}
const sdx_optional *sdx_optional_optional(const sdx_optional *optional) {
    return in(optional).has_optional_value() ? out(in(optional).optional_value()) : nullptr;
}

// MARK: Map

sdx_string sdx_map_name(const sdx_map *map) { return view(in(map).name()); }
int32_t sdx_map_key_type(const sdx_map *map) { return in(map).key_type(); }
sdx_int64s sdx_map_keys(const sdx_map *map) { return int64s(in(map).keys()); }
size_t sdx_map_string_key_count(const sdx_map *map) { return count(in(map).string_keys()); }
sdx_string sdx_map_string_key(const sdx_map *map, size_t index) { return view(element(in(map).string_keys(), index)); }
const sdx_sequence *sdx_map_values(const sdx_map *map) {
    return in(map).has_values() ? out(in(map).values()) : nullptr;
}

}  // extern "C"
