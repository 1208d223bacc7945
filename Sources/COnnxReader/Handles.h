#pragma once

#include <cstddef>
#include <string>

#include "Document.h"

namespace sardonyx {

constexpr sdx_string emptyString = {"", 0};

inline sdx_string view(const std::string &string) { return {string.data(), string.size()}; }

template <typename Handle>
Handle *handle(Document *document) { return reinterpret_cast<Handle *>(document); }

/// Element `index` of a repeated field. Traps past the end: a fault of the caller, and reading on would be worse.
template <typename List>
const auto &element(const List &list, size_t index) {
    if (index >= size_t(list.size())) __builtin_trap();
    return list[int(index)];
}

template <typename List>
size_t count(const List &list) { return size_t(list.size()); }

inline sdx_entry entry(const onnx::StringStringEntryProto &proto) { return {view(proto.key()), view(proto.value())}; }
inline sdx_opset opset(const onnx::OperatorSetIdProto &proto) { return {view(proto.domain()), proto.version()}; }
inline sdx_int64s int64s(const google::protobuf::RepeatedField<int64_t> &list) { return {list.data(), count(list)}; }

// Each handle is a pointer to its message: `in` goes one way, `out` the other.
#define SARDONYX_HANDLE(Handle, Proto)                                                                        \
    inline const Proto &in(const Handle *handle) { return *reinterpret_cast<const Proto *>(handle); }         \
    inline const Handle *out(const Proto &proto) { return reinterpret_cast<const Handle *>(&proto); }
SARDONYX_HANDLE(sdx_graph, onnx::GraphProto)
SARDONYX_HANDLE(sdx_function, Function)
SARDONYX_HANDLE(sdx_node, onnx::NodeProto)
SARDONYX_HANDLE(sdx_attribute, onnx::AttributeProto)
SARDONYX_HANDLE(sdx_value_info, onnx::ValueInfoProto)
SARDONYX_HANDLE(sdx_type, onnx::TypeProto)
SARDONYX_HANDLE(sdx_tensor, onnx::TensorProto)
SARDONYX_HANDLE(sdx_sparse_tensor, onnx::SparseTensorProto)
SARDONYX_HANDLE(sdx_sequence, onnx::SequenceProto)
SARDONYX_HANDLE(sdx_map, onnx::MapProto)
SARDONYX_HANDLE(sdx_optional, onnx::OptionalProto)
#undef SARDONYX_HANDLE
inline const Document &in(const sdx_model *model) { return *reinterpret_cast<const Document *>(model); }
inline const Document &in(const sdx_value *value) { return *reinterpret_cast<const Document *>(value); }

}  // namespace sardonyx
