@testable import SardonyxImaging
@testable import SardonyxPipelines

func withError(_ body: () throws -> Void) -> ImagingError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ImagingError
    }
}

extension Pipeline {
    /// One channel of values as they are, on the source's voxels, axes R, A, S.
    static func test(task: Task) -> Pipeline {
        Pipeline(
            name: "test", task: task, model: "model.onnx", input: Input(channels: [Channel(name: "image")]),
            output: Output(decision: task == .segmentation ? .argmax : .values))
    }
}

extension SpillVolume {
    /// All voxels, i fastest.
    func all() throws -> [Scalar] {
        try [Scalar](unsafeUninitializedCapacity: dims.x * dims.y * dims.z) { values, count in
            try read(VoxelBox(lower: .zero, upper: dims), into: values.baseAddress!)
            count = values.count
        }
    }
}
