import ArgumentParser
import SardonyxImaging
import SardonyxPipelines

/// `sardonyx view`: from an image and its labels to a picture that people look at.
struct View: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draws an image, with labels' outlines, as a PNG.",
        discussion: """
            Shows an axial, a coronal and a sagittal slice through the middle of the mask, or of the image; or a \
            montage, slices of one plane in rows. Radiological convention: the patient's right is on the left. Sides, \
            coordinates in millimetres, a scale bar and the volume of each label are written on the picture.

            Examples:
              sardonyx view head.nii.gz -o head.png
              sardonyx view ct.nii.gz --mask organs.nii.gz --labels 1=liver,2=tumour --window liver -o ct.png
              sardonyx view ct.nii.gz --layout montage --plane coronal --slices 12 --window lung -o lungs.png

            Windows for CT: \(Window.presets.map(\.name).joined(separator: ", ")).
            """)

    /// What the picture is made of.
    enum Layout: String, ExpressibleByArgument, CaseIterable {
        case planes, montage
    }

    @Argument(help: ArgumentHelp("The image: NIfTI, NRRD or MetaImage.", valueName: "image"))
    var image: String

    @Option(
        help: ArgumentHelp(
            "Labels to outline; 0 is background. On another grid they are resampled, and the picture says so.",
            valueName: "file"))
    var mask: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Takes what is above this value in the mask as label 1: for probabilities, or an image of the organ alone.",
            valueName: "value"))
    var maskAbove: Float?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("The picture; its folder is made when it is missing.", valueName: "png")
    )
    var output: String

    @Option(
        help: ArgumentHelp(
            "'planes' or 'montage'. By default planes, but a montage with --plane or --slices.", valueName: "layout"))
    var layout: Layout?

    @Option(
        help: ArgumentHelp(
            "The montage's plane: axial, coronal or sagittal. By default the one in which the image was acquired.",
            valueName: "plane"))
    var plane: SlicePlane?

    @Option(help: ArgumentHelp("Slices in the montage; by default 12 to 24 that fill it.", valueName: "n"))
    var slices: Int?

    // Coordinates and Hounsfield units begin with a minus as often as not.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The point through which the three planes run, in mm to the right, front and top.", valueName: "x,y,z"))
    var at: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Values from black to white: CENTRE,WIDTH, a window for CT by its name, percentiles as in 2%,98%, or auto.",
            valueName: "window"))
    var window: String = "auto"

    @Option(help: ArgumentHelp("Which volume of a 4D image, counted from 0.", valueName: "n"))
    var frame: Int = 0

    @Option(help: ArgumentHelp("Names of labels.", valueName: "1=name,2=name"))
    var labels: String?

    @Option(help: ArgumentHelp("Opacity of the labels' colours, from 0, outlines only, to 1.", valueName: "opacity"))
    var fill: Float = 0

    @Option(help: ArgumentHelp("Pixels across the picture, 100 to 10000.", valueName: "pixels"))
    var width: Int = PictureStyle().width

    func validate() throws {
        guard output.lowercased().hasSuffix(".png") else {
            throw ValidationError("--output \(output): the picture is a PNG, so its name ends in .png")
        }
        guard Window(window) != nil else {
            let names = Window.presets.map(\.name).joined(separator: ", ")
            throw ValidationError(
                "--window \(window): give CENTRE,WIDTH as in 40,80, LOW%,HIGH%, auto, or one of \(names)")
        }
        if let labels, LabelStyle.list(labels) == nil {
            throw ValidationError("--labels \(labels): give different values from 1 to 65535, as in 1=liver,2=tumour")
        }
        if let at, point == nil {
            throw ValidationError("--at \(at): give three numbers, as in -12.5,40,7")
        }
        if at != nil, isMontage { throw ValidationError("--at is for the three planes, not for a montage") }
        if layout == .planes, plane != nil || slices != nil {
            throw ValidationError("--plane and --slices are for --layout montage")
        }
        if maskAbove != nil, mask == nil { throw ValidationError("--mask-above is for --mask") }
        if let slices, slices < 1 { throw ValidationError("--slices must be 1 or more") }
        guard (0...1).contains(fill) else { throw ValidationError("--fill must be from 0 to 1") }
        guard (100...10000).contains(width) else { throw ValidationError("--width must be from 100 to 10000") }
    }

    func run() throws {
        let file = try VolumeFile(contentsOf: image)
        let source = PictureSource(file, frame: frame)
        var style = style(for: file)
        let labels = try mask.map { try maskSource($0, on: file.grid, &style.caption) }
        let picture: RGBImage
        if isMontage {
            var montage = Montage()
            montage.style = style
            montage.plane = plane
            montage.count = slices
            picture = try montage.render(source, labels: labels)
        } else {
            var view = ThreePlaneView()
            view.style = style
            view.point = point
            picture = try view.render(source, labels: labels)
        }
        if let slash = output.lastIndex(of: "/"), slash > output.startIndex {
            try makeFolder(String(output[..<slash]))
        }
        try picture.writePNG(to: output)
        Terminal.print("picture  \(output)")
    }

    private var isMontage: Bool { layout.map { $0 == .montage } ?? (plane != nil || slices != nil) }

    /// The point in mm; `nil` when there is none, or when it is not three numbers.
    private var point: SIMD3<Double>? {
        let parts = (at ?? "").split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0) }
        guard parts.count == 3, numbers.count == 3, numbers.allSatisfy(\.isFinite) else { return nil }
        return SIMD3(numbers[0], numbers[1], numbers[2])
    }

    /// The mask's labels; those on another grid are looked up in the patient's millimetres.
    private func maskSource(_ path: String, on grid: VoxelGrid, _ caption: inout String) throws -> PictureSource {
        let file = try VolumeFile(contentsOf: path)
        // A 4D mask goes with a 4D image; a 3D one with all of its frames.
        let frame = file.frames == 1 ? 0 : frame
        var source = PictureSource(file, frame: frame)
        if !file.grid.reoriented(to: .ras).isAligned(with: grid.reoriented(to: .ras)) {
            caption += ". Mask resampled from \(file.grid.summary)"
            source = PictureSource(try file.volume(frame: frame).resampled(onto: grid, by: .nearest))
        }
        return maskAbove.map { source.above($0) } ?? source
    }

    private func style(for file: VolumeFile) -> PictureStyle {
        var style = PictureStyle()
        style.width = width
        style.window = Window(window) ?? .automatic
        style.labels = labels.flatMap(LabelStyle.list) ?? []
        style.fill = fill
        style.caption = image.split(separator: "/").last.map(String.init) ?? image
        if file.frames > 1 { style.caption += ", frame \(frame) of 0 to \(file.frames - 1)" }
        if file.spaceCode == 0 { style.caption += ". The file does not say how the patient lies!" }
        return style
    }
}

extension SlicePlane: ExpressibleByArgument {}
