import Sardonyx
import SardonyxPipelines

/// One folder with a model and data sets.
struct VerifyCase: Sendable {
    let folder: String
    /// The folder's path under the one that was asked for, or its last part.
    let name: String

    enum Outcome: String, Sendable {
        case pass
        case fail
        case error
    }

    struct Result: Sendable {
        var outcome: Outcome
        var maximumError: Double
        var message: String
        var milliseconds: Double = 0
    }

    /// Folders that have a model.onnx, under a path or the path itself, sorted.
    static func find(in path: String) throws -> [VerifyCase] {
        guard Files.isFolder(path) else {
            throw CommandFailure(
                .badInput, "\(path): no such folder; verify takes folders with model.onnx and test_data_set_0")
        }
        var cases: [VerifyCase] = []
        func visit(_ folder: String, _ name: String, above: [FileIdentity]) throws {
            if Files.exists(Files.join(folder, "model.onnx")) {
                let last = folder.split(separator: "/").last.map(String.init) ?? folder
                cases.append(VerifyCase(folder: folder, name: name.isEmpty ? last : name))
                return
            }
            // A link to a folder above would lead round and round.
            guard let identity = FileIdentity(folder), !above.contains(identity) else { return }
            guard let names = folderNames(folder) else {
                throw CommandFailure(.badInput, "\(folder): cannot be read")
            }
            for entry in names {
                let inner = Files.join(folder, entry)
                if Files.isFolder(inner) {
                    try visit(inner, name.isEmpty ? entry : "\(name)/\(entry)", above: above + [identity])
                }
            }
        }
        try visit(path, "", above: [])
        return cases
    }

    /// Runs all data sets and compares.
    func run(_ options: Session.Options) -> Result {
        let start = Process.now
        var result = Result(outcome: .pass, maximumError: 0, message: "")
        do {
            result = try compareAll(options)
        } catch {
            result = Result(outcome: .error, maximumError: 0, message: "\(error)")
        }
        result.milliseconds = Double(Process.now - start) / 1e6
        return result
    }

    private func compareAll(_ options: Session.Options) throws -> Result {
        var comparison = Comparison(try Tolerance(folder: folder))
        let sets = (folderNames(folder) ?? []).filter { $0.hasPrefix("test_data_set_") }
            .sorted { (Int($0.dropFirst(14)) ?? 0, $0) < (Int($1.dropFirst(14)) ?? 0, $1) }
        if sets.isEmpty { return Result(outcome: .error, maximumError: 0, message: "there is no test_data_set_0") }
        let model = try Model(contentsOf: Files.join(folder, "model.onnx"))
        let session = try Session(model, options: options)
        for set in sets {
            let dataFolder = Files.join(folder, set)
            let files = folderNames(dataFolder) ?? []
            let place = sets.count == 1 ? "" : "\(set): "
            let outputs = try session.runValues(readInputs(model, dataFolder, files))
            var compared = 0
            for (index, port) in model.outputs.enumerated() where files.contains("output_\(index).pb") {
                let expected = try Datum(contentsOf: Files.join(dataFolder, "output_\(index).pb"), as: port)
                guard let actual = outputs[port.name] else { continue }
                if let text = comparison.difference(actual, expected, "output '\(port.name)'") {
                    return Result(outcome: .fail, maximumError: comparison.maximumError, message: place + text)
                }
                compared += 1
            }
            let expected = files.filter { $0.hasPrefix("output_") && $0.hasSuffix(".pb") }.count
            if compared != expected || compared == 0 {
                let text = "\(place)\(expected) expected outputs; the model has \(model.outputs.count)"
                return Result(outcome: .error, maximumError: comparison.maximumError, message: text)
            }
        }
        return Result(outcome: .pass, maximumError: comparison.maximumError, message: "")
    }

    /// The values of input_0.pb, input_1.pb …, which stand for the graph's inputs in their order. A number that is
    /// missing is an optional input left out.
    private func readInputs(_ model: Model, _ folder: String, _ files: [String]) throws -> [String: Datum] {
        let count = files.filter { $0.hasPrefix("input_") && $0.hasSuffix(".pb") }.count
        // Files for the inputs without a default alone, unless there are more of them.
        let ports = count <= model.inputs.count ? Array(model.inputs) : model.allInputs
        var values: [String: Datum] = [:]
        for (index, port) in ports.enumerated() {
            if files.contains("input_\(index).pb") {
                values[port.name] = try Datum(contentsOf: Files.join(folder, "input_\(index).pb"), as: port)
            } else if model.inputs[port.name] != nil, case .optional = port.type {
                values[port.name] = .optional(nil)
            }
        }
        guard count <= ports.count else {
            throw CommandFailure(.badInput, "\(folder): \(count) input files; the model has \(ports.count) inputs")
        }
        return values
    }
}
