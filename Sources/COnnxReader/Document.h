#pragma once

// SwiftPM defines DEBUG in debug builds, and the ONNX header has an identifier of that name.
#undef DEBUG
#include <onnx/onnx_pb.h>
#include <onnx/onnx-data.pb.h>

#include <memory>
#include <vector>

#include "COnnxReader.h"
#include "MappedFile.h"

namespace sardonyx {

/// A function with the parts that libonnx's FunctionProto does not know.
struct Function {
    const onnx::FunctionProto *proto;
    sdx_string overload;
    std::vector<const onnx::AttributeProto *> defaults;
};

/// An open file: what is behind sdx_model and sdx_value.
struct Document {
    MappedFile file;
    google::protobuf::Arena arena;  // holds the messages: closing frees a few blocks instead of every message
    const google::protobuf::Message *message = nullptr;
    sdx_value_kind kind = {};              // of a value
    std::vector<Function> functions;       // of a model

    explicit Document(MappedFile file);

    const onnx::ModelProto &model() const { return static_cast<const onnx::ModelProto &>(*message); }

    static std::unique_ptr<Document> openModel(MappedFile file);
    static std::unique_ptr<Document> openValue(MappedFile file, sdx_value_kind kind);
};

}  // namespace sardonyx
