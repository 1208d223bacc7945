import SardonyxTestSupport

@testable import SardonyxImaging
@testable import SardonyxPipelines

extension Pipeline {
    /// One channel of values as they are, on the source's voxels, axes R, A, S.
    static func test(task: Task) -> Pipeline {
        Pipeline(
            name: "test", task: task, model: "model.onnx", input: Input(channels: [Channel(name: "image")]),
            output: Output(decision: task == .segmentation ? .argmax : .values))
    }
}

extension Volume {
    /// Of each voxel the value at its place, in mm.
    init(_ grid: VoxelGrid, _ value: (SIMD3<Double>) -> Scalar) {
        let (nx, ny) = (grid.dims.x, grid.dims.y)
        self.init(
            grid: grid,
            voxels: (0..<grid.count).map {
                value(grid.affine(SIMD3<Double>(SIMD3($0 % nx, $0 / nx % ny, $0 / nx / ny))))
            })
    }
}

/// All threads, all memory.
func resources(_ folder: String) -> Resources {
    Resources(pool: .shared, limit: MemoryLimit(), folder: folder)
}

/// A run over images of one channel each, which are files of the folder.
func studyRun(
    _ images: [Volume<Float>], _ pipeline: Pipeline, _ network: any Network,
    fixedShape: [Int?] = [nil, 1, nil, nil, nil], in folder: TemporaryFolder
) throws -> StudyRun {
    let files = try images.enumerated().map { index, image in
        let path = folder.path + "/\(index).nii"
        try NIfTI.write(image, to: path)
        return try VolumeFile(contentsOf: path)
    }
    return try StudyRun(
        pipeline, StudyImages(files, pipeline.input, frame: 0), network: network, fixedShape: fixedShape,
        resources(folder.path))
}

extension RunStore {
    /// All voxels, i fastest.
    func all() throws -> [UInt16] {
        try [UInt16](unsafeUninitializedCapacity: dims.x * dims.y * dims.z) { values, count in
            try read(VoxelBox(dims: dims), into: values.baseAddress!)
            count = values.count
        }
    }
}

extension SpillVolume {
    /// All voxels, i fastest.
    func all() throws -> [Scalar] {
        try [Scalar](unsafeUninitializedCapacity: dims.x * dims.y * dims.z) { values, count in
            try read(VoxelBox(dims: dims), into: values.baseAddress!)
            count = values.count
        }
    }
}
