import Sardonyx
import SardonyxImaging

extension BrainExtraction {
    /// Finds the brain with a session of the model in `Models/brain-extraction`; see `callAsFunction(_:progress:network:)`.
    ///
    /// - Throws: `ImagingError` `.mismatch` for a model that has not one float input and a first output of floats;
    ///   `SardonyxError` from the run.
    public func callAsFunction(
        _ volume: Volume<Float>, session: Session, progress: (_ stage: Stage, _ done: Double) -> Void = { _, _ in }
    ) throws -> Mask {
        let model = session.model
        guard model.inputs.count == 1, let input = model.inputs.first, input.dataType == .float,
            let output = model.outputs.first, output.dataType == .float
        else {
            throw ImagingError(
                .mismatch,
                problem: "the model takes \(BrainExtraction.list(model.inputs)) and gives "
                    + "\(BrainExtraction.list(model.outputs)); expected one float image and its probabilities",
                remedy: "use Models/brain-extraction/model.onnx")
        }
        return try self(volume, progress: progress) { values, shape in
            let results = try session.run([input.name: Tensor(shape: shape, scalars: values)])
            return results[output.name]?.scalars() ?? []
        }
    }

    private static func list(_ ports: Ports) -> String {
        ports.isEmpty ? "nothing" : ports.map { "'\($0.name)' \($0.typeDescription)" }.joined(separator: ", ")
    }
}
