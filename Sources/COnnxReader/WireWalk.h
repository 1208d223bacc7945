#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "WireSchema.h"

namespace sardonyx {

/// What stands in a rewritten TensorProto.raw_data: where the file's bytes are. Every raw_data is replaced, however
/// short, and a tensor reaches libprotobuf by no other way: so no file can forge one.
struct RawSpan {
    const uint8_t *data;
    size_t count;
};

/// Messages nested deeper than this are refused. libprotobuf recurses once a level, and so may who reads the model.
constexpr int depthLimit = 384;

/// Copies the message without its bulk data, so that what libprotobuf parses is small. Fields keep their order and
/// repetitions: libprotobuf merges split messages and lets the last scalar win, spans included. Throws Failure.
std::vector<uint8_t> rewrite(const uint8_t *data, size_t count, Kind kind);

}  // namespace sardonyx
