/// What a volume file that is to be written holds, and the headers that say so.
struct VolumeContent {
    let grid: VoxelGrid
    let frames: Int
    let components: Int
    let dataType: VoxelType
    let spaceCode: Int
    let frameDuration: Double
    let scaling: (slope: Double, intercept: Double)?
    let text: String

    /// Values of a voxel, those of its type among them.
    private var channels: Int { components * dataType.components }

    private func unsupported(_ problem: String, _ remedy: String) -> ImagingError {
        ImagingError(.unsupported, problem: problem, remedy: remedy)
    }

    /// Bytes of the voxels.
    ///
    /// - Throws: `.mismatch`, `.tooLarge`, `.badGeometry`, without a path.
    func checkedByteCount() throws -> Int {
        guard frames > 0, components > 0 else {
            throw ImagingError(
                .mismatch, problem: "\(frames) frames of \(components) components, expected 1 or more of each",
                remedy: "give at least one")
        }
        guard grid.affine.isInvertible else {
            throw ImagingError(
                .badGeometry, problem: "the volume's affine places no voxels", remedy: "give a spacing")
        }
        var count = grid.count
        for factor in [frames, components, dataType.bytes] {
            let (product, overflow) = count.multipliedReportingOverflow(by: factor)
            guard !overflow else {
                throw ImagingError(.tooLarge, problem: "its bytes cannot be counted", remedy: "cut it into parts")
            }
            count = product
        }
        return count
    }

    func niftiHeader() throws -> [UInt8] {
        let sides = [grid.dims.x, grid.dims.y, grid.dims.z, frames]
        guard sides.allSatisfy({ $0 <= Int(Int16.max) }) else {
            throw unsupported("a side of \(sides.max() ?? 0) voxels; NIfTI-1 ends at 32767", "cut the volume")
        }
        var type = dataType
        if components > 1 {
            guard dataType == .uint8, components == 3 || components == 4 else {
                throw unsupported(
                    "\(components) values of \(dataType) a voxel; NIfTI stores them apart, not side by side",
                    "write .nrrd or .mha, or one frame a value")
            }
            type = components == 3 ? .rgb24 : .rgba32
        }
        return NIfTI.headerBytes(
            grid, frames: frames, frameDuration: frameDuration, type: type, spaceCode: spaceCode, scaling: scaling,
            text: text)
    }

    /// NRRD has no place for it, and MetaImage one that ITK does not look at.
    private func refuseScaling() throws {
        guard scaling == nil else {
            throw unsupported("slope and intercept, which readers find in NIfTI only", "write .nii, or float voxels")
        }
    }

    func nrrdHeader() throws -> [UInt8] {
        try refuseScaling()
        let element = dataType.component
        guard element != .float128 else { throw unsupported("NRRD has no \(dataType)", "write .nii") }
        let type = element == .float32 ? "float" : element == .float64 ? "double" : "\(element)"
        // To LPS, the space that most NRRD files are in: the way there is the way back.
        let lps = grid.affine.flipped(Affine.fromLPS)
        let isSeries = frames > 1
        func vector(_ column: Int) -> String {
            let v = lps.column(column)
            return "(\(v.x + 0),\(v.y + 0),\(v.z + 0)\(isSeries ? ",0" : ""))"
        }
        var (sizes, directions) = ([grid.dims.x, grid.dims.y, grid.dims.z], (0..<3).map(vector))
        var kinds = ["domain", "domain", "domain"]
        if channels > 1 {
            let isColour = dataType.component == .uint8 && (channels == 3 || channels == 4)
            let isComplex = channels == 2 && dataType.components == 2
            sizes.insert(channels, at: 0)
            directions.insert("none", at: 0)
            kinds.insert(
                isColour ? channels == 3 ? "RGB-color" : "RGBA-color" : isComplex ? "complex" : "vector", at: 0)
        }
        if isSeries {
            // The format has no way to leave the duration out.
            sizes.append(frames)
            directions.append("(0,0,0,\(frameDuration > 0 ? frameDuration : 1))")
            kinds.append("time")
        }
        let lines = [
            "NRRD0005", "content: \(TextHeader.plain(text))", "type: \(type)", "dimension: \(sizes.count)",
            "space: left-posterior-superior\(isSeries ? "-time" : "")",
            "sizes: \(sizes.map(String.init).joined(separator: " "))",
            "space directions: \(directions.joined(separator: " "))", "kinds: \(kinds.joined(separator: " "))",
            "endian: little", "encoding: gzip", "space origin: \(vector(3))", "", "",
        ]
        return Array(lines.joined(separator: "\n").utf8)
    }

    /// The header, and the place for the size of the compressed voxels, which is known at the end.
    func metaImageHeader() throws -> (bytes: [UInt8], sizeField: Range<Int>) {
        let types: [VoxelType: String] = [
            .uint8: "UCHAR", .int8: "CHAR", .int16: "SHORT", .uint16: "USHORT", .int32: "INT", .uint32: "UINT",
            .int64: "LONG_LONG", .uint64: "ULONG_LONG", .float32: "FLOAT", .float64: "DOUBLE",
        ]
        guard let type = types[dataType.component] else {
            throw unsupported("MetaImage has no \(dataType)", "write .nii")
        }
        try refuseScaling()
        let lps = grid.affine.flipped(Affine.fromLPS)
        let (steps, spacing, origin) = ((0..<3).map { lps.column($0) }, grid.spacing, lps.column(3))
        var sizes = [grid.dims.x, grid.dims.y, grid.dims.z]
        var (place, spacings) = ([origin.x, origin.y, origin.z], [spacing.x, spacing.y, spacing.z])
        if frames > 1 {
            // The format has no way to leave the duration out.
            (sizes, place, spacings) = (
                sizes + [frames], place + [0], spacings + [frameDuration > 0 ? frameDuration : 1]
            )
        }
        let axes = sizes.indices
        let matrix = axes.flatMap { axis in
            axes.map { n in axis < 3 && n < 3 ? steps[axis][n] / spacing[axis] : axis == n ? 1 : 0 }
        }
        func list(_ values: [Double]) -> String { values.map { "\($0 + 0)" }.joined(separator: " ") }
        let before = """
            ObjectType = Image
            Comment = \(TextHeader.plain(text))
            NDims = \(sizes.count)
            BinaryData = True
            BinaryDataByteOrderMSB = False
            CompressedData = True
            CompressedDataSize =\u{20}
            """
        let field = 20
        var after = """

            TransformMatrix = \(list(matrix))
            Offset = \(list(place))
            CenterOfRotation = \(list(axes.map { _ in 0 }))
            ElementSpacing = \(list(spacings))
            DimSize = \(sizes.map(String.init).joined(separator: " "))

            """
        if channels > 1 { after += "ElementNumberOfChannels = \(channels)\n" }
        after += "ElementType = MET_\(type)\nElementDataFile = LOCAL\n"
        let start = before.utf8.count
        let bytes = Array((before + String(repeating: " ", count: field) + after).utf8)
        return (bytes, start..<start + field)
    }
}
