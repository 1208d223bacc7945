/// A volume file of any format, open for reading: NIfTI-1 and -2, NRRD, MetaImage; and pictures, whose pages are slices.
///
/// The voxels stay in the file, and boxes of them are read where they are wanted: resident memory is a buffer of 1 MB
/// for each `read` in progress. Compressed files, pictures and files that hold numbers as text are decoded once, when
/// they are opened, into a temporary file without a name. Reading is safe from any number of threads at once.
public final class VolumeFile: Sendable {
    /// The file, as the caller named it or, for the data file of a pair, its header.
    public var path: String { layout.path }
    /// What kind of file it is.
    public let format: VolumeFormat
    /// Dimensions and affine. Axes that the file does not have are of size 1.
    public let grid: VoxelGrid
    /// Volumes of the same place: what the file's fourth axis counts, usually time.
    public let frames: Int
    /// Values of a voxel: channels, vectors, colours, real and imaginary parts; of several axes the first in the file
    /// counts fastest.
    public let components: Int
    /// How a voxel is stored, as the header names it.
    public var dataType: VoxelType { layout.type }
    /// value = stored · slope + intercept, which `read` applies; `nil` where the header asks for none.
    public var scaling: (slope: Double, intercept: Double)? { layout.scaling }
    /// True when the components are red, green, blue and perhaps opacity.
    public var isColour: Bool { layout.isColour }
    /// NIfTI's code of the space that the affine leads to: 1 scanner, 2 aligned, 3 Talairach, 4 MNI, 0 unknown; 1 in
    /// formats that do not say.
    public var spaceCode: Int { layout.spaceCode }
    /// Seconds from one frame to the next; 0 where the header does not say.
    public var frameDuration: Double { layout.frameDuration }

    /// Bytes that the open file holds in memory.
    package var residentBytes: Int { store.residentBytes }
    /// Whether no value that `read` gives can be infinite or no number.
    package var isFinite: Bool { decoder.isFinite }

    let layout: VolumeLayout
    let store: VoxelStore
    let decoder: VoxelDecoder

    /// Opens a file, told by its content and, where that says nothing, by its name.
    ///
    /// - Parameters:
    ///   - path: the file; of a pair either one.
    ///   - temporaryFolder: where the decoded voxels of a compressed file are kept; `nil`: $TMPDIR, else /tmp.
    /// - Throws: `ImagingError`: `.unknownFormat`, `.badHeader`, `.badGeometry`, `.tooLarge`, `.unsupported`,
    ///   `.truncated` when the file is shorter than its header promises, `.corrupt` when compressed data is damaged,
    ///   `.cannotWrite` when the temporary folder is full.
    public convenience init(contentsOf path: String, temporaryFolder: String? = nil) throws {
        try self.init(contentsOf: path, memory: 0, temporaryFolder: temporaryFolder)
    }

    /// As above; compressed voxels of up to `memory` bytes stay in memory, which is faster; while the file is opened the
    /// compressed ones are there too, an eighth and 64 kB more at most.
    package convenience init(contentsOf path: String, memory: Int, temporaryFolder: String? = nil) throws {
        do {
            let (layout, format) = try VolumeFile.layout(path)
            try self.init(layout, format, memory: memory, temporaryFolder: temporaryFolder)
        } catch let error as ImagingError {
            throw error.at(path)
        }
    }

    /// The files that an image consists of: the one that is named, and its header or voxels where those are others. Reads
    /// headers only.
    ///
    /// - Throws: `ImagingError` as `init(contentsOf:temporaryFolder:)`.
    public static func files(of path: String) throws -> [String] {
        do {
            let layout = try layout(path).layout
            return ([layout.path] + layout.pieces.map(\.path)).reduce(into: [path]) { found, file in
                if !found.contains(file) { found.append(file) }
            }
        } catch let error as ImagingError {
            throw error.at(path)
        }
    }

    private static func layout(_ path: String) throws -> (layout: VolumeLayout, format: VolumeFormat) {
        let format = try VolumeFormat(contentsOf: path)
        switch format {
        case .nifti: return (try NIfTI(contentsOf: path).layout(), format)
        case .nrrd: return (try NRRDHeader(contentsOf: path).layout(), format)
        case .metaImage: return (try MetaImageHeader(contentsOf: path).layout(), format)
        case .picture: return (try PictureFile(path).layout(), format)
        }
    }

    init(
        _ layout: VolumeLayout, _ format: VolumeFormat, memory: Int = 0, temporaryFolder: String? = nil
    ) throws {
        guard layout.affine.isInvertible else {
            throw ImagingError(
                .badGeometry, path: layout.path,
                problem: "its axes place no voxels (spacing or directions are zero, parallel or not finite)",
                remedy: "repair the header")
        }
        self.layout = layout
        self.format = format
        (grid, frames, components) = (layout.grid, layout.frames.count, layout.components.count)
        decoder = VoxelDecoder(
            type: layout.type.component, swapped: !layout.isLittleEndian, scaling: layout.scaling)
        store = try VoxelStore(layout, memory: memory, temporaryFolder: temporaryFolder)
    }

    /// Copies a box of voxels, i fastest and tightly packed, scaled, as Float (integers above 2^24 are rounded).
    ///
    /// - Parameters:
    ///   - box: lies in `grid`.
    ///   - frame: 0 to `frames - 1`.
    ///   - component: 0 to `components - 1`.
    ///   - output: one Float for each voxel of the box.
    /// - Throws: `ImagingError`: `.mismatch` for arguments that do not fit; `.cannotRead`, and `.truncated` when the
    ///   file has been cut short since it was opened.
    public func read(
        _ box: VoxelBox, frame: Int = 0, component: Int = 0, into output: UnsafeMutableBufferPointer<Float>
    ) throws {
        let first = try offset(frame, component)
        guard grid.contains(box) else { throw outside(box) }
        guard output.count == box.count else {
            throw ImagingError(
                .mismatch, path: path, problem: "room for \(output.count) voxels was given for \(box.count)",
                remedy: "give room for each voxel of the box")
        }
        guard let target = output.baseAddress, !box.isEmpty else { return }
        try Rows(box, layout).read(from: store, first, decoder, into: target)
    }

    /// A whole volume as Float.
    ///
    /// - Throws: `ImagingError`, as `read`; `.tooLarge` when this machine's memory cannot hold it.
    public func volume(frame: Int = 0, component: Int = 0) throws -> Volume<Float> {
        try volume(of: grid.box, frame: frame, component: component)
    }

    /// The voxels of a box as a volume of their own, in their place.
    ///
    /// - Throws: `ImagingError`, as `read`, also for an empty box; `.tooLarge` when this machine's memory cannot hold
    ///   it.
    public func volume(of box: VoxelBox, frame: Int = 0, component: Int = 0) throws -> Volume<Float> {
        guard grid.contains(box), !box.isEmpty else { throw outside(box) }
        try Memory.check(UInt64(box.count) * 4, path, layout.summary)
        let voxels = try [Float](unsafeUninitializedCapacity: box.count) { buffer, filled in
            let whole = UnsafeMutableBufferPointer(rebasing: buffer[..<box.count])
            try read(box, frame: frame, component: component, into: whole)
            filled = box.count
        }
        let affine = grid.affine
        let origin = affine(SIMD3<Double>(box.lower))
        let placed = Affine(columns: affine.column(0), affine.column(1), affine.column(2), origin: origin)
        return Volume(grid: VoxelGrid(dims: box.size, affine: placed), voxels: voxels)
    }

    /// Where the values of a component of a frame begin, counted in values.
    ///
    /// - Throws: `ImagingError` `.mismatch` for what the file does not hold.
    func offset(_ frame: Int, _ component: Int) throws -> Int {
        try check(frame, frames, "frame")
        try check(component, components, "component")
        return layout.frames.offset(frame) + layout.components.offset(component)
    }

    private func outside(_ box: VoxelBox) -> ImagingError {
        ImagingError(
            .mismatch, path: path,
            problem: "the box from \(box.lower) up to \(box.upper) is not in the grid of \(grid.dims)",
            remedy: "ask for a box inside the grid")
    }

    private func check(_ index: Int, _ count: Int, _ what: String) throws {
        guard (0..<count).contains(index) else {
            throw ImagingError(
                .mismatch, path: path, problem: "\(what) \(index) was asked for; it holds \(count)",
                remedy: "choose 0 to \(count - 1)")
        }
    }
}

/// A box as runs of voxels at one distance: its rows or, where those touch, whole planes or all of it.
private struct Rows {
    private var length: Int
    private var rows: Int
    private var planes: Int
    /// Distances, in values, of voxels of a row, of rows and of planes.
    private let strides: SIMD3<Int>
    private let origin: Int
    /// A gap of this many bytes between rows is cheaper to read than to pass over.
    private static let gap = 1 << 12
    private static let most = 1 << 20

    init(_ box: VoxelBox, _ layout: VolumeLayout) {
        strides = SIMD3(max(1, layout.strides.x), layout.strides.y, layout.strides.z)
        origin = (box.lower &* layout.strides).wrappedSum()
        (length, rows, planes) = (box.size.x, box.size.y, box.size.z)
        if rows == 1 || strides.y == strides.x * length {
            (length, rows) = (length * rows, 1)
            if planes == 1 || strides.z == strides.x * length { (length, planes) = (length * planes, 1) }
        }
    }

    func read(
        from store: VoxelStore, _ first: Int, _ decoder: VoxelDecoder, into output: UnsafeMutablePointer<Float>
    ) throws {
        let width = decoder.type.bytes
        let (step, pitch) = (strides.x * width, strides.y * width)
        func span(_ voxels: Int) -> Int { (voxels - 1) * step + width }
        // One read takes several rows or a part of one.
        let part = min(length, max(1, Rows.most / step))
        let isClose = rows > 1 && part == length && pitch - span(length) < Rows.gap
        let together = isClose ? min(rows, max(1, (Rows.most - span(length)) / pitch + 1)) : 1
        let size = (together - 1) * pitch + span(part)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
        defer { buffer.deallocate() }
        var target = output
        for plane in 0..<planes {
            for row in stride(from: 0, to: rows, by: together) {
                let count = min(together, rows - row)
                for start in stride(from: 0, to: length, by: part) {
                    let voxels = min(part, length - start)
                    let value = first + origin + plane * strides.z + row * strides.y + start * strides.x
                    let place = UInt64(value) * UInt64(width)
                    // SAFETY: `target` walks over `output`, which has room for all voxels of the box; `buffer` holds
                    // the span of `together` rows of `part` voxels.
                    if decoder.isIdentity, step == width, count == 1 {
                        let bytes = UnsafeMutableRawBufferPointer(start: target, count: voxels * width)
                        try store.read(at: place, into: bytes)
                        target += voxels
                        continue
                    }
                    let bytes = (count - 1) * pitch + span(voxels)
                    try store.read(at: place, into: .init(rebasing: buffer[..<bytes]))
                    for n in 0..<count {
                        decoder.decode(buffer.baseAddress! + n * pitch, step: step, count: voxels, into: target)
                        target += voxels
                    }
                }
            }
        }
    }
}
