import ArgumentParser
import Sardonyx
import SardonyxImaging
import SardonyxPipelines

/// `sardonyx brain`: from a head MRI to its brain's mask, picture and volume.
struct Brain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Extracts the brain from a T1 head MRI.",
        discussion: """
            Reads a NIfTI volume, runs the 3D network of Models/brain-extraction, and writes mask.nii.gz on the volume's \
            own grid and overlay.png with the mask's outline on an axial, a coronal and a sagittal slice. Prints the \
            brain's volume, the Dice overlap with a reference mask, the time and the peak memory.

            Example:
              sardonyx brain head.nii.gz --model Models/brain-extraction/model.onnx --output out
            """)

    @Argument(help: ArgumentHelp("The head MRI, .nii or .nii.gz.", valueName: "input"))
    var input: String

    @Option(help: ArgumentHelp("The network.", valueName: "model"))
    var model: String

    @Option(help: ArgumentHelp("A mask to compare with; voxels above 0 are brain.", valueName: "file"))
    var reference: String?

    @Option(
        help: ArgumentHelp("The folder for mask.nii.gz and overlay.png; made when it is missing.", valueName: "dir"))
    var output: String

    @Option(help: ArgumentHelp("Threads to run on; all CPUs by default.", valueName: "n"))
    var threads: Int?

    func run() throws {
        let start = Process.now
        let image = try NIfTI(contentsOf: input)
        let volume = try image.volume()
        let reference = try reference.map { try NIfTI(contentsOf: $0).volume().mask(above: 0) }
        let session = try openSession()
        try Files.makeFolder(output)
        var bar = ProgressBar()
        defer { bar.end() }
        let extraction = BrainExtraction()
        let mask = try extraction(volume) { stage, done in
            bar.show(done, stage.rawValue)
        } network: { values, shape in
            try run(session, Tensor(shape: shape, scalars: values)) { done in
                // The pipeline's own report gives the network the time from 5 to 85 %.
                bar.show(0.05 + 0.8 * done, BrainExtraction.Stage.network.rawValue)
            }
        }
        bar.show(1, "writing")
        let maskPath = Files.join(output, "mask.nii.gz")
        let picturePath = Files.join(output, "overlay.png")
        try NIfTI.write(mask, to: maskPath, spaceCode: image.header.spaceCode)
        var view = ThreePlaneView()
        view.style.labels = [LabelStyle(1, "brain")]
        try view.render(volume, mask: mask).writePNG(to: picturePath)
        bar.end()
        var lines = ["brain volume  \(fixed(mask.millilitres, 1)) mL"]
        if let reference { lines.append("Dice overlap  \(fixed(try mask.dice(reference), 4))") }
        lines += [
            "time          \(fixed(Double(Process.now - start) / 1e9, 2)) s",
            "peak memory   \(fixed(Process.peakResidentMegabytes, 0)) MB",
            "mask          \(maskPath)",
            "picture       \(picturePath)",
        ]
        Terminal.print(lines.joined(separator: "\n"))
    }

    private func openSession() throws -> Session {
        let network = try Model(contentsOf: model)
        guard network.inputs.count == 1, network.inputs[0].dataType == .float,
            let output = network.outputs.first, output.dataType == .float
        else {
            func list(_ ports: Ports) -> String {
                ports.map { "'\($0.name)' \($0.typeDescription)" }.joined(separator: ", ")
            }
            throw CommandFailure(
                .badModel,
                "\(model): takes \(list(network.inputs)) and gives \(list(network.outputs)); one float image and its "
                    + "probabilities are expected: use Models/brain-extraction/model.onnx")
        }
        return try Session(network, options: Session.Options(threads: threads))
    }

    /// Runs the network and reports the share of its multiply-adds that are done.
    private func run(_ session: Session, _ image: Tensor, progress: (Double) -> Void) throws -> [Float] {
        let inputs = [session.model.inputs[0].name: Datum.tensor(image)]
        let work = try session.boundPlan(for: inputs).plan.steps.map { step -> Double in
            if case .kernel(let kernel) = step.work { Double(kernel.multiplyAdds) + 1 } else { 1 }
        }
        let total = work.reduce(0, +)
        var done = 0.0
        let results = try withoutActuallyEscaping(progress) { progress in
            try session.runValues(inputs, cancellation: nil) { step, _, _ in
                done += work[step]
                progress(done / total)
            }
        }
        return results[session.model.outputs[0].name]?.tensor?.scalars() ?? []
    }
}
