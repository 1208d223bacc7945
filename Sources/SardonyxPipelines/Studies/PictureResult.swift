import SardonyxImaging

/// A result as a picture file: labels in their colours, or a reconstructed image with the source's depth.
enum PictureResult {
    /// Whether a file's name asks for a picture.
    static func isOne(_ name: String) -> Bool {
        [".png", ".tif", ".tiff"].contains { name.lowercased().hasSuffix($0) }
    }

    /// Refuses what a picture cannot hold, before anything runs.
    ///
    /// - Parameter channels: of a reconstruction; `nil` for labels.
    /// - Throws: `PipelineFailure` `.badInput` or `.badModel`.
    static func check(_ path: String, dims: SIMD3<Int>, frames: Int, channels: Int?, like source: VolumeFile) throws {
        let isPNG = isPNG(path)
        guard frames == 1 else {
            throw PipelineFailure(
                .badInput, path: path,
                "a picture holds one volume, \(source.path) has \(frames): ask for .nii.gz or .nrrd")
        }
        guard !isPNG || dims.z == 1 else {
            throw PipelineFailure(
                .badInput, path: path, "a PNG holds one slice, \(source.path) has \(dims.z): ask for .tif or .nii.gz")
        }
        guard let channels else { return }
        guard channels == 1 || channels == 3 || channels == 4 && !isPNG else {
            throw PipelineFailure(
                .badModel, path: path,
                "a \(isPNG ? "PNG has 1 or 3" : "TIFF has 1, 3 or 4") channels, the model gives \(channels): ask for .nii.gz"
            )
        }
        guard !isPNG || mostStored(source) != nil else {
            throw PipelineFailure(
                .badInput, path: path,
                "a PNG holds whole numbers of 8 or 16 bits, \(source.path) holds \(source.dataType)"
                    + "\(source.scaling == nil ? "" : ", scaled"): ask for .tif or .nii.gz")
        }
    }

    private static func isPNG(_ path: String) -> Bool { path.lowercased().hasSuffix(".png") }

    /// The largest of a source's values where they are whole numbers that pictures hold; else `nil`.
    private static func mostStored(_ source: VolumeFile) -> Int? {
        guard source.scaling == nil else { return nil }
        switch source.dataType {
        case .uint8, .rgb24, .rgba32: return 255
        case .uint16: return 65535
        default: return nil
        }
    }

    /// Labels as a picture of one channel; a PNG has their colours as its palette.
    ///
    /// - Throws: `ImagingError` when writing fails.
    static func write(_ labels: RunStore, _ classes: [Pipeline.Label], to path: String) throws {
        func picture(_ k: Int) throws -> Picture {
            var slice = [UInt16](repeating: 0, count: labels.dims.x * labels.dims.y)
            try slice.withUnsafeMutableBufferPointer { try labels.read(slice: k, into: $0) }
            let isNarrow = slice.allSatisfy { $0 < 256 }
            return Picture(
                width: labels.dims.x, height: labels.dims.y, channels: 1,
                samples: isNarrow ? .uint8(slice.map { UInt8($0) }) : .uint16(slice))
        }
        if !isPNG(path) {
            return try TIFFWriter.write(to: path) { for k in 0..<labels.dims.z { try $0.append(picture(k)) } }
        }
        let first = try picture(0)
        guard case .uint8(let values) = first.samples else { return try first.writePNG(to: path) }
        var palette = (0...Int(values.max() ?? 0)).map { $0 == 0 ? RGB.black : LabelStyle.colour(of: $0) }
        for label in classes where palette.indices.contains(label.value) { palette[label.value] = label.colour }
        try first.writePNG(to: path, palette: palette)
    }

    /// Values of one channel or of colours, rounded where the source holds integers.
    static func write(_ values: [SpillVolume<Float>], like source: VolumeFile, to path: String) throws {
        guard let dims = values.first?.dims else { return }
        func picture(_ k: Int) throws -> Picture {
            let (count, channels) = (dims.x * dims.y, values.count)
            var samples = [Float](repeating: 0, count: count * channels)
            var slice = [Float](repeating: 0, count: count)
            for (channel, spill) in values.enumerated() {
                try slice.withUnsafeMutableBufferPointer { try spill.read(slice: k, into: $0) }
                for index in 0..<count { samples[index * channels + channel] = slice[index] }
            }
            func whole(_ value: Float, _ most: Int) -> Float {
                value.isFinite ? min(max(value.rounded(), 0), Float(most)) : 0
            }
            let kept: Picture.Samples =
                switch mostStored(source) {
                case 255?: .uint8(samples.map { UInt8(whole($0, 255)) })
                case let most?: .uint16(samples.map { UInt16(whole($0, most)) })
                case nil: .float(samples)
                }
            return Picture(width: dims.x, height: dims.y, channels: channels, samples: kept)
        }
        if isPNG(path) { return try picture(0).writePNG(to: path) }
        try TIFFWriter.write(to: path) { for k in 0..<dims.z { try $0.append(picture(k)) } }
    }
}
