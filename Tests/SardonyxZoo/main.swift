// SardonyxZoo MODEL [NAME=FILE | NAME=1,3,224,224] … : what the engine promises, on whole models.
// SardonyxZoo --operators: the kernels of all operators' examples make no allocation when they run again.
//
// Each model, with the inputs that follow its name (a .npy or .pb file, or a shape to be filled with random numbers; what
// is not named gets the model's shape, 1 for what that leaves open), runs on 1, 2, 3 and 7 threads. A line a model: OK
// when warmed-up runs into preallocated outputs make no allocation on any thread, and the outputs' bits depend neither on
// the number of threads nor on the process, this one or a forked one. Where shapes depend on data there are no outputs to
// preallocate: such a model is "dynamic", and its allocations are counted but allowed. The first allocations' stacks
// follow on standard error. The last line is "N of M models hold"; the exit code is 1 unless all do.
import Glibc
import Sardonyx

func say(_ text: String, to descriptor: Int32 = 1) {
    let bytes = Array(text.utf8) + [0x0A]
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
}

if CommandLine.arguments.dropFirst() == ["--operators"] {
    let check = try OperatorCheck()
    for (failure, stack) in zip(check.failures, check.stacks) { say("FAIL \(failure)\n\(stack)") }
    say("\(check.kernels - check.failures.count) of \(check.kernels) kernels hold")
    exit(check.failures.isEmpty ? 0 : 1)
}
var models: [(path: String, inputs: [String])] = []
for argument in CommandLine.arguments.dropFirst() {
    if !argument.contains("=") {
        models.append((argument, []))
    } else if !models.isEmpty {
        models[models.count - 1].inputs.append(argument)
    }
}
guard !models.isEmpty else {
    say("usage: SardonyxZoo MODEL [NAME=FILE | NAME=1,3,224,224] …", to: 2)
    exit(2)
}
var holding = 0
for (path, inputs) in models {
    do {
        let check = try ModelCheck(path: path, inputs: inputs)
        say("\(check.holds ? "OK  " : "FAIL") \(path): \(check.summary)")
        if check.holds { holding += 1 }
        if !check.isDynamic { for stack in check.stacks { say(stack, to: 2) } }
    } catch {
        say("FAIL \(path): \(error)")
    }
}
say("\(holding) of \(models.count) models hold")
exit(holding == models.count ? 0 : 1)
