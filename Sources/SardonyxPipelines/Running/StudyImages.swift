import SardonyxImaging

/// The images of one study, in the order of the pipeline's channels, on one grid: the first image's.
struct StudyImages: Sendable {
    let channels: [SourceChannel]
    let grid: VoxelGrid
    /// Volumes one after another in time.
    let frames: Int

    /// Bytes that the files hold, and reading.
    var byteCount: Int {
        let files = Dictionary(channels.map { (ObjectIdentifier($0.file), $0.file) }, uniquingKeysWith: { a, _ in a })
        return files.values.reduce(0) { $0 + $1.residentBytes } + (channels.map(\.byteCount).max() ?? 0)
    }

    /// - Parameters:
    ///   - files: one for each channel, or one alone whose components or whose volumes are the channels.
    ///   - frame: which volume of a 4D image.
    /// - Throws: `PipelineFailure` `.badInput` when files and channels do not fit.
    init(_ files: [VolumeFile], _ input: Pipeline.Input, frame: Int) throws {
        let count = input.channels.count
        guard let first = files.first, files.count == count || files.count == 1 else {
            throw PipelineFailure(
                .badInput,
                "the pipeline takes \(count) images (\(input.channels.map(\.name).joined(separator: ", "))); "
                    + "\(files.count) were given")
        }
        grid = first.grid
        let isStacked = files.count == 1 && count > 1 && first.components == 1
        if isStacked, first.frames != count {
            throw PipelineFailure(
                .badInput,
                "\(first.path): holds \(first.frames) volumes of \(first.components) values a voxel; the pipeline takes "
                    + "\(count) channels: give each as NAME=FILE, or one file that holds them all")
        }
        frames = isStacked ? 1 : first.frames
        channels = try input.channels.enumerated().map { index, channel in
            let file = files.count == 1 ? first : files[index]
            let component = channel.component ?? (files.count == 1 && !isStacked && count > 1 ? index : 0)
            guard channel.component != nil || file.components == 1 || files.count == 1 && count > 1 else {
                throw PipelineFailure(
                    .badInput,
                    "\(file.path): a voxel has \(file.components) values, channel '\(channel.name)' takes one: say which "
                        + "with 'component' in the pipeline, from 0, or convert the image to grey")
            }
            guard component < file.components else {
                throw PipelineFailure(
                    .badInput,
                    "\(file.path): a voxel has \(file.components) values; channel '\(channel.name)' is number "
                        + "\(component) of them")
            }
            guard file.frames == first.frames, isStacked || frame < file.frames else {
                throw PipelineFailure(
                    .badInput,
                    "\(file.path): holds \(file.frames) volumes, \(first.path) \(first.frames): all channels need as many"
                )
            }
            return SourceChannel(
                file: file, frame: isStacked ? index : frame, component: component,
                onto: file.grid.isAligned(with: first.grid) ? nil : first.grid,
                refusesNonFinite: input.refusesNonFinite)
        }
    }
}
