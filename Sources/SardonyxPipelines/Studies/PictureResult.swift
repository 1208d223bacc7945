import SardonyxImaging

/// A result as a picture file: labels in their colours, or a reconstructed image with the source's depth.
enum PictureResult {
    /// Whether a file's name asks for a picture.
    static func isOne(_ name: String) -> Bool {
        [".png", ".tif", ".tiff"].contains { name.lowercased().hasSuffix($0) }
    }

    /// Labels as a picture of one channel; a PNG has their colours as its palette.
    ///
    /// - Throws: `PipelineFailure` `.badInput` for a volume, unless it is a TIFF's pages; `ImagingError` when writing fails.
    static func write(_ labels: SpillVolume<UInt16>, _ classes: [Pipeline.Label], to path: String) throws {
        let pages = try pages(labels.dims, path)
        func picture(_ k: Int) throws -> Picture {
            var slice = [UInt16](repeating: 0, count: labels.dims.x * labels.dims.y)
            try slice.withUnsafeMutableBufferPointer { try labels.read(slice: k, into: $0) }
            let isNarrow = slice.allSatisfy { $0 < 256 }
            return Picture(
                width: labels.dims.x, height: labels.dims.y, channels: 1,
                samples: isNarrow ? .uint8(slice.map { UInt8($0) }) : .uint16(slice))
        }
        if !path.lowercased().hasSuffix(".png") {
            return try TIFFWriter.write(to: path) { writer in for k in 0..<pages { try writer.append(picture(k)) } }
        }
        let first = try picture(0)
        guard case .uint8(let values) = first.samples else { return try first.writePNG(to: path) }
        var palette = (0...Int(values.max() ?? 0)).map { $0 == 0 ? RGB.black : LabelStyle.colour(of: $0) }
        for label in classes where palette.indices.contains(label.value) { palette[label.value] = label.colour }
        try first.writePNG(to: path, palette: palette)
    }

    /// Values of one channel or of colours, rounded where the source holds integers.
    static func write(_ values: [SpillVolume<Float>], like source: VolumeFile, to path: String) throws {
        guard let dims = values.first?.dims, [1, 3, 4].contains(values.count) else {
            throw PipelineFailure(
                .badModel, "\(path): a picture has 1, 3 or 4 channels, the model gives \(values.count): ask for .nii.gz"
            )
        }
        let pages = try pages(dims, path)
        func picture(_ k: Int) throws -> Picture {
            let box = VoxelBox(lower: SIMD3(0, 0, k), upper: SIMD3(dims.x, dims.y, k + 1))
            let (count, channels) = (dims.x * dims.y, values.count)
            var samples = [Float](repeating: 0, count: count * channels)
            var slice = [Float](repeating: 0, count: count)
            for (channel, spill) in values.enumerated() {
                try slice.withUnsafeMutableBufferPointer { try spill.read(box, into: $0.baseAddress!) }
                for index in 0..<count { samples[index * channels + channel] = slice[index] }
            }
            func whole(_ value: Float, _ most: Float) -> Float {
                value.isFinite ? min(max(value.rounded(), 0), most) : 0
            }
            let kept: Picture.Samples =
                switch source.dataType {
                case .uint8, .rgb24, .rgba32: .uint8(samples.map { UInt8(whole($0, 255)) })
                case .uint16: .uint16(samples.map { UInt16(whole($0, 65535)) })
                default: .float(samples)
                }
            return Picture(width: dims.x, height: dims.y, channels: channels, samples: kept)
        }
        if path.lowercased().hasSuffix(".png") { return try picture(0).writePNG(to: path) }
        try TIFFWriter.write(to: path) { writer in for k in 0..<pages { try writer.append(picture(k)) } }
    }

    /// The pages of a picture of a volume.
    ///
    /// - Throws: `PipelineFailure` `.badInput` where a PNG cannot hold them.
    static func pages(_ dims: SIMD3<Int>, _ path: String) throws -> Int {
        if path.lowercased().hasSuffix(".png"), dims.z > 1 {
            throw PipelineFailure(
                .badInput, "\(path): a PNG holds one slice, the image has \(dims.z): ask for .tif or .nii.gz")
        }
        return dims.z
    }
}
