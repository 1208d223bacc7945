import COnnxReader
import SardonyxGraph

/// A model as loading gives it: one graph in the newest opset's form, verified.
package struct LoadedModel: Sendable {
    package var graph: Graph
    package var inputNames: [String]
    package var outputNames: [String]
    /// Outputs' types as the file declares them.
    package var declaredOutputs: [ValueType]
    package var irVersion: Int
    package var opsets: [String: Int]
    package var producer: String
    package var metadata: [String: String]
    package var fileByteCount: Int
    package var handle: ModelHandle
    /// Paths of the files beside the model that hold its weights.
    package var externalFiles: [String] = []
}

/// How a model's bytes are held.
public enum WeightMode: Sendable, Hashable {
    /// Weights are read from the file as they are needed. The file must not change while the model is in use.
    case mapped
    /// The file is read into memory, so that others may rewrite it.
    case copied
}

/// Opens ONNX files.
package enum ModelLoader {
    /// - Throws: `SardonyxError`: `file` and `malformed` for the bytes, `invalidModel` for broken rules, `unsupported` with
    ///   every node that cannot run.
    package static func load(
        path: String, weights: WeightMode = .mapped, registry: OperatorRegistry
    ) throws -> LoadedModel {
        do {
            var error = sdx_error()
            let mode = weights == .mapped ? SDX_OPEN_MAPPED : SDX_OPEN_COPIED
            guard let pointer = sdx_model_open(path, mode, &error) else { throw SardonyxError(error) }
            let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
            let external = ExternalData(folder: folder.isEmpty && path.hasPrefix("/") ? "/" : folder, mode: mode)
            return try load(ModelHandle(pointer), external, registry)
        } catch let error as SardonyxError {
            throw error.inFile(path)
        }
    }

    /// Reads a file's structure and lets it go: what opening costs before anything is checked.
    package static func walk(path: String) throws {
        var error = sdx_error()
        guard let pointer = sdx_model_open(path, SDX_OPEN_MAPPED, &error) else {
            throw SardonyxError(error).inFile(path)
        }
        _ = ModelHandle(pointer)
    }

    /// Loads a model from memory; it cannot have external data.
    package static func load(bytes: UnsafeRawBufferPointer, registry: OperatorRegistry) throws -> LoadedModel {
        var error = sdx_error()
        guard let pointer = sdx_model_open_memory(bytes.baseAddress, bytes.count, &error) else {
            throw SardonyxError(error)
        }
        return try load(ModelHandle(pointer), nil, registry)
    }

    private static func load(
        _ handle: ModelHandle, _ external: ExternalData?, _ registry: OperatorRegistry
    ) throws -> LoadedModel {
        let model = UnsafePointer(handle.pointer)
        guard let graph = sdx_model_graph(model) else {
            throw SardonyxError(.malformed, "the file has no graph: it is empty, or no ONNX model")
        }
        let opsets = readOpsets(gather(sdx_model_opset_count(model)) { sdx_model_opset(model, $0) })
        let irVersion = Int(clamping: sdx_model_ir_version(model))
        let importer = try Importer(handle, externalData: external, registry: registry, irVersion: irVersion)
        var result = try importer.importModel(graph, opsets: opsets)
        try result.graph.verify()
        result.handle = handle
        result.externalFiles = external?.paths ?? []
        var metadata: [String: String] = [:]
        for index in 0..<sdx_model_metadata_count(model) {
            let entry = sdx_model_metadata(model, index)
            metadata[entry.key.text] = entry.value.text
        }
        result.metadata = metadata
        let version = sdx_model_producer_version(model).text
        result.producer = sdx_model_producer_name(model).text + (version.isEmpty ? "" : " " + version)
        result.fileByteCount = sdx_model_byte_count(model)
        return result
    }

    static func readOpsets(_ imports: [sdx_opset]) -> [String: Int] {
        var opsets: [String: Int] = [:]
        for entry in imports {
            let domain = canonicalDomain(entry.domain.text)
            opsets[domain] = max(opsets[domain] ?? 0, Int(clamping: entry.version))
        }
        return opsets
    }
}

/// The domain's one spelling: `ai.onnx` is written as the empty text.
func canonicalDomain(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
