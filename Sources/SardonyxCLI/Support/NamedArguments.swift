import Sardonyx

extension Model {
    /// All inputs that may be given, in the file's order: those that a run needs, and those with a default.
    var allInputs: [Port] {
        let ids = graph.inputs + graph.inputDefaults.keys
        return ids.sorted { $0.index < $1.index }.compactMap { id in
            let name = graph[id].name
            return inputs[name] ?? optionalInputs[name]
        }
    }

    /// Takes NAME=VALUE apart, where NAME is the longest input's name before an `=`.
    func split(_ argument: String, option: String) throws -> (port: Port, value: String) {
        guard argument.contains("=") else {
            throw CommandFailure(.badUsage, "--\(option) needs NAME=…; '\(argument)' has no '='")
        }
        let fitting = allInputs.filter { argument.hasPrefix($0.name + "=") }
        guard let port = fitting.max(by: { $0.name.utf8.count < $1.name.utf8.count }) else {
            let inputs = allInputs.map { "'\($0.name)' \($0.typeDescription)" }.joined(separator: ", ")
            throw CommandFailure(.badInput, "--\(option) \(argument): the model has no such input; it takes \(inputs)")
        }
        return (port, String(argument.dropFirst(port.name.count + 1)))
    }

    /// Reads the files of NAME=FILE arguments.
    func readInputs(_ arguments: [String]) throws -> [String: Datum] {
        var values: [String: Datum] = [:]
        for argument in arguments {
            let (port, file) = try split(argument, option: "input")
            let value = try asInput { try Datum(contentsOf: file, as: port) }
            guard values.updateValue(value, forKey: port.name) == nil else {
                throw CommandFailure(.badUsage, "--input gives '\(port.name)' twice")
            }
        }
        return values
    }

    /// The shapes of NAME=1,3,224,224 arguments.
    func readShapes(_ arguments: [String]) throws -> [String: [Int]] {
        var shapes: [String: [Int]] = [:]
        for argument in arguments {
            let (port, text) = try split(argument, option: "shape")
            let parts = text.split(separator: ",", omittingEmptySubsequences: !text.contains(","))
            let extents = parts.compactMap { Int($0) }.filter { $0 >= 0 }
            guard extents.count == parts.count else {
                throw CommandFailure(
                    .badUsage, "--shape \(argument): a shape is numbers with commas, as in 1,3,224,224")
            }
            if let expected = port.shape {
                let fits =
                    expected.count == extents.count
                    && zip(expected, extents).allSatisfy { $0.value == nil || $0.value == $1 }
                guard fits else {
                    throw CommandFailure(
                        .badInput, "--shape \(argument): input '\(port.name)' takes \(port.typeDescription)")
                }
            }
            shapes[port.name] = extents
        }
        return shapes
    }

    /// A shape for each tensor that a run needs: the given one, or the model's with 1 for what it leaves open.
    func defaultShapes(_ given: [String: [Int]]) -> [String: [Int]] {
        var shapes = given
        // One extent for a name, wherever it occurs.
        var symbols: [String: Int] = [:]
        for (name, shape) in given {
            for (extent, dimension) in zip(shape, inputs[name]?.shape ?? []) {
                if case .symbol(let symbol) = dimension { symbols[symbol] = extent }
            }
        }
        for port in inputs where shapes[port.name] == nil && port.dataType != nil {
            shapes[port.name] = (port.shape ?? []).map { dimension in
                switch dimension {
                case .fixed(let value): value
                case .symbol(let symbol): symbols[symbol] ?? 1
                case .unknown: 1
                }
            }
        }
        return shapes
    }

    /// What to give where `defaultShapes` took open axes as 1; nil where it took none.
    func shapeAdvice(_ given: [String: [Int]]) -> String? {
        let arguments = inputs.compactMap { port -> String? in
            guard port.dataType != nil, given[port.name] == nil else { return nil }
            guard let shape = port.shape else { return "--shape \(port.name)=1,3,224,224" }
            guard shape.contains(where: { $0.value == nil }) else { return nil }
            let extents = shape.enumerated().map { axis, dimension in dimension.value ?? (axis == 0 ? 1 : 64) }
            return "--shape \(port.name)=" + extents.map(String.init).joined(separator: ",")
        }
        return arguments.isEmpty ? nil : "give shapes with " + arguments.joined(separator: " ")
    }
}
