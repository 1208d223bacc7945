import SardonyxImaging

extension Pipeline {
    /// The result that holds labels as a volume; `nil` when there is none.
    package var labelImage: ResultFile? {
        task == .segmentation ? results.first { $0.kind == .image && !PictureResult.isOne($0.file) } : nil
    }
}

extension StudyReport {
    /// The Dice overlap of each label with a label image on the same grid: 2 |A ∩ B| / (|A| + |B|), 1 where both are empty.
    ///
    /// A pipeline of one label is compared with all that is not 0.
    ///
    /// - Throws: `ImagingError` `.mismatch` unless both lie on the same grid; what reading throws. `PipelineFailure`
    ///   `.badInput` for a pipeline that writes no labels as a volume.
    public func dice(with path: String, _ pipeline: Pipeline) throws -> [(name: String, overlap: Double)] {
        guard let image = pipeline.labelImage,
            let result = zip(pipeline.results, files).first(where: { $0.0 == image })?.1
        else {
            throw PipelineFailure(
                .badInput, path: path, "there are no labels to compare with: add 'image: labels.nii.gz' to results")
        }
        let (found, reference) = (try VolumeFile(contentsOf: result), try VolumeFile(contentsOf: path))
        guard found.grid.isAligned(with: reference.grid) else {
            throw ImagingError(
                .mismatch, path: path,
                problem: "it lies on another grid (\(reference.grid.summary)) than the result (\(found.grid.summary))",
                remedy: "resample it onto the image")
        }
        let dims = found.grid.dims
        var (a, b) = ([Float](repeating: 0, count: dims.x * dims.y), [Float](repeating: 0, count: dims.x * dims.y))
        let values = pipeline.labels.map { Float($0.value) }
        var counts = [(both: Int, sum: Int)](repeating: (0, 0), count: values.count)
        for k in 0..<dims.z {
            let box = VoxelBox(slice: k, of: dims)
            try a.withUnsafeMutableBufferPointer { try found.read(box, into: $0) }
            try b.withUnsafeMutableBufferPointer { try reference.read(box, into: $0) }
            for (label, value) in values.enumerated() {
                for index in a.indices {
                    let isFound = a[index] == value
                    let isThere = values.count == 1 ? b[index] > 0 : b[index] == value
                    counts[label].both += isFound && isThere ? 1 : 0
                    counts[label].sum += (isFound ? 1 : 0) + (isThere ? 1 : 0)
                }
            }
        }
        return zip(pipeline.labels, counts).map { label, count in
            (label.name, count.sum == 0 ? 1 : 2 * Double(count.both) / Double(count.sum))
        }
    }
}
