#pragma once

#include <cstdint>

namespace sardonyx {

/// The messages of ONNX that are read, with those of test data.
enum class Kind : uint8_t {
    model, graph, node, attribute, tensor, segment, sparseTensor, valueInfo, function, opset, entry,
    type, tensorType, sequenceType, mapType, optionalType, opaqueType, shape, dimension,
    sequence, map, optional, count,
};

/// What becomes of a field on its way from the file to libprotobuf.
enum class Action : uint8_t {
    drop,     // nothing reads it, or it is unknown
    scalar,   // copied: a number, or a packed list of numbers
    bytes,    // copied: a string
    raw,      // TensorProto.raw_data: replaced by a RawSpan
    message,  // walked into
};

struct FieldRule {
    Action action = Action::drop;
    Kind kind = Kind::count;  // of the message
    uint16_t number = 0;      // the field's number in the rewritten message
};

/// libonnx 1.12 does not know these fields, newer ones do. Under numbers that no version knows, they land in the
/// UnknownFieldSet with every version; a file cannot forge them, because what the table lacks is dropped.
constexpr uint16_t movedNodeOverload = 1008;
constexpr uint16_t movedFunctionDefault = 1011;
constexpr uint16_t movedFunctionOverload = 1013;

/// The rule of a field, by its number in the file.
FieldRule fieldRule(Kind kind, uint32_t number);

const char *kindName(Kind kind);

}  // namespace sardonyx
