#include "Document.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>

#include <cstring>

#include "Errors.h"
#include "Handles.h"
#include "WireWalk.h"

namespace sardonyx {
namespace {

using google::protobuf::Arena;

google::protobuf::ArenaOptions arenaOptions() {
    google::protobuf::ArenaOptions options;
    options.start_block_size = 16 << 10;
    options.max_block_size = 1 << 20;
    return options;
}

/// Parses rewritten bytes. The walk has checked their structure and depth, but not the numbers in packed lists.
template <typename Message>
const Message *parse(const void *data, size_t count, Arena *arena) {
    auto *message = Arena::CreateMessage<Message>(arena);
    google::protobuf::io::CodedInputStream stream(static_cast<const uint8_t *>(data), int(count));
    stream.SetRecursionLimit(depthLimit + 8);
    if (!message->ParsePartialFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
        throw Failure(SDX_ERROR_CORRUPT, "a list of numbers is malformed");
    return message;
}

template <typename Message>
const Message *read(Document &document, Kind kind) {
    const MappedFile &file = document.file;
    file.setReadAhead(false);
    std::vector<uint8_t> small = rewrite(file.data(), file.size(), kind);
    file.setReadAhead(true);
    // The walk mapped the pages around every header it read. Weights are read later, each once.
    file.release(file.data(), file.size());
    return parse<Message>(small.data(), small.size(), &document.arena);
}

Function function(const onnx::FunctionProto &proto, Arena *arena) {
    Function function{&proto, emptyString, {}};
    const auto &fields = proto.unknown_fields();
    for (int i = 0; i < fields.field_count(); i++) {
        const auto &field = fields.field(i);
        if (field.number() == movedFunctionOverload) {
            function.overload = view(field.length_delimited());
        } else if (field.number() == movedFunctionDefault) {
            const std::string &bytes = field.length_delimited();
            function.defaults.push_back(parse<onnx::AttributeProto>(bytes.data(), bytes.size(), arena));
        }
    }
    return function;
}

}  // namespace

Document::Document(MappedFile file) : file(std::move(file)), arena(arenaOptions()) {}

std::unique_ptr<Document> Document::openModel(MappedFile file) {
    if (file.size() == 0) throw Failure(SDX_ERROR_CORRUPT, "the file is empty", 0);
    static constexpr char pointer[] = "version https://git-lfs";
    if (file.size() >= sizeof pointer && std::memcmp(file.data(), pointer, sizeof pointer - 1) == 0)
        throw Failure(SDX_ERROR_CORRUPT, "a Git LFS pointer instead of the model: fetch it with git lfs pull", 0);
    auto document = std::make_unique<Document>(std::move(file));
    const auto *model = read<onnx::ModelProto>(*document, Kind::model);
    document->message = model;
    // Random bytes may walk as a message of unknown fields alone.
    if (!model->has_ir_version() && !model->has_graph() && model->opset_import_size() == 0)
        throw Failure(SDX_ERROR_CORRUPT, "not an ONNX file: it has no IR version, no graph and no operator set", 0);
    document->functions.reserve(size_t(model->functions_size()));
    for (const auto &proto : model->functions()) document->functions.push_back(function(proto, &document->arena));
    return document;
}

std::unique_ptr<Document> Document::openValue(MappedFile file, sdx_value_kind kind) {
    auto document = std::make_unique<Document>(std::move(file));
    document->kind = kind;
    switch (kind) {
    case SDX_VALUE_TENSOR: document->message = read<onnx::TensorProto>(*document, Kind::tensor); break;
    case SDX_VALUE_SPARSE_TENSOR:
        document->message = read<onnx::SparseTensorProto>(*document, Kind::sparseTensor);
        break;
    case SDX_VALUE_SEQUENCE: document->message = read<onnx::SequenceProto>(*document, Kind::sequence); break;
    case SDX_VALUE_MAP: document->message = read<onnx::MapProto>(*document, Kind::map); break;
    case SDX_VALUE_OPTIONAL: document->message = read<onnx::OptionalProto>(*document, Kind::optional); break;
    case SDX_VALUE_TYPE: document->message = read<onnx::TypeProto>(*document, Kind::type); break;
    default: throw Failure(SDX_ERROR_INTERNAL, "sdx_value_open: no such kind");
    }
    return document;
}

}  // namespace sardonyx

using namespace sardonyx;

extern "C" sdx_model *sdx_model_open(const char *path, sdx_open_mode mode, sdx_error *error) {
    return guarded(error, [&] {
        return handle<sdx_model>(Document::openModel(MappedFile::open(path, mode, true)).release());
    });
}
extern "C" sdx_model *sdx_model_open_memory(const void *bytes, size_t count, sdx_error *error) {
    return guarded(error, [&] {
        return handle<sdx_model>(Document::openModel(MappedFile::copy(bytes, count)).release());
    });
}
extern "C" void sdx_model_close(sdx_model *model) { delete reinterpret_cast<Document *>(model); }

extern "C" sdx_value *sdx_value_open(const char *path, sdx_value_kind kind, sdx_open_mode mode, sdx_error *error) {
    return guarded(error, [&] {
        return handle<sdx_value>(Document::openValue(MappedFile::open(path, mode, true), kind).release());
    });
}
extern "C" sdx_value *sdx_value_open_memory(
    const void *bytes, size_t count, sdx_value_kind kind, sdx_error *error) {
    return guarded(error, [&] {
        return handle<sdx_value>(Document::openValue(MappedFile::copy(bytes, count), kind).release());
    });
}
extern "C" void sdx_value_close(sdx_value *value) { delete reinterpret_cast<Document *>(value); }
