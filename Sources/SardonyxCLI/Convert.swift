import ArgumentParser
import SardonyxImaging

/// `sardonyx convert`: a volume file in another format, orientation or both.
struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a volume file in another format or orientation.",
        discussion: """
            Reads NIfTI, NRRD and MetaImage and writes .nii, .nii.gz, .nrrd or .mha. Integers of 8 and 16 bits stay what \
            they are; all else becomes 32-bit float, scaled as the header asks. Memory does not grow with the volume.

            Example:
              sardonyx convert head.nrrd head.nii.gz --orientation RAS
            """)

    @Argument(help: ArgumentHelp("The volume to read.", valueName: "input"))
    var input: String

    @Argument(help: ArgumentHelp("The file to write.", valueName: "output"))
    var output: String

    @Option(help: ArgumentHelp("The only frame to write, from 0; all by default.", valueName: "n"))
    var frame: Int?

    @Option(help: ArgumentHelp("The directions in which i, j and k are to grow, such as RAS.", valueName: "code"))
    var orientation: String?

    func run() throws {
        let directions = try orientation.map { code in
            guard let directions = Orientation(code) else {
                throw CommandFailure(
                    .badUsage, "--orientation '\(code)': three letters are expected, one each of R or L, A or P, S or I"
                )
            }
            return directions
        }
        try VolumeFile(contentsOf: input).convert(to: output, frame: frame, orientation: directions)
    }
}
