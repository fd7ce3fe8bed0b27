using Crust.Spec;

namespace Crust.Host;

/// <summary>Whether the machine gets the cores that the spec gives it.</summary>
/// <param name="cores">Those that this process may use.</param>
internal sealed class CoresCheck(int cores) : IHostCheck
{
    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation)
    {
        var wanted = question.Spec.Machine.Cpus;
        var finding = wanted <= cores
            ? new Finding("host", "cores", Gravity.Fine, $"{Count(cores)}; the machine has {wanted}")
            : new Finding("host", "cores", Gravity.Warning, $"The machine has {wanted} CPUs and this host has {Count(cores)}: they will wait for each other")
            {
                Where = "machine.cpus",
                Remedy = $"set machine.cpus (--cpus) to {cores} or less",
            };
        return Task.FromResult<IReadOnlyList<Finding>>([finding]);
    }

    private static string Count(int cores) => cores == 1 ? "1 core" : $"{cores} cores";
}

/// <summary>Whether the machine's memory fits into this host's. Machines of one build run one after the other.</summary>
internal sealed class MemoryCheck(HostFiles files) : IHostCheck
{
    // QEMU's own, and Crust's.
    private const long Beside = 256L << 20;

    private const long LeastMachine = 512L << 20;

    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<Finding>>([Find(question.Spec.Machine.Memory)]);

    private Finding Find(long wanted)
    {
        if (files.Memory() is not { } memory)
        {
            return new Finding("host", "memory", Gravity.Note, "This host doesn't tell how much memory it has");
        }

        var of = memory.Limit is null ? "this host" : "this container";
        if (wanted > memory.Total)
        {
            return new Finding("host", "memory", Gravity.Problem, $"The machine's memory of {Size.Format(wanted)} doesn't fit: {of} has {Size.Format(memory.Total)} in all")
            {
                Where = memory.Limit ?? "machine.memory",
                Remedy = memory.Limit is null ? Less(memory.Total) : $"raise the container's limit, or {Less(memory.Total)}",
            };
        }

        return wanted + Beside <= memory.Available
            ? new Finding("host", "memory", Gravity.Fine, $"{Size.Format(memory.Available)} available; the machine has {Size.Format(wanted)}")
            : new Finding("host", "memory", Gravity.Warning,
                $"Memory is tight: the machine has {Size.Format(wanted)} and QEMU needs some beside, but {Size.Format(Math.Max(0, memory.Available))} are available in {of}; Linux may kill QEMU")
            {
                Where = memory.Limit ?? "machine.memory",
                Remedy = $"end other programs, or {Less(memory.Available)}",
            };
    }

    // Whole steps of 256 MiB, and enough for an installer.
    private static string Less(long memory) =>
        $"set machine.memory (--memory) to {Size.ToSpecText(Math.Max(LeastMachine, (memory - Beside) / Beside * Beside))} or less";
}

/// <summary>Whether files may become as large as the machine's disk. Told only where they may not.</summary>
/// <param name="limit">The largest file that this process may write, in bytes; null for no limit.</param>
internal sealed class FileSizeCheck(long? limit) : IHostCheck
{
    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<Finding>>(
        limit is not { } most || most >= question.Spec.Machine.Disk ? [] :
        [
            new Finding("host", "file size", Gravity.Problem,
                $"The machine's disk of {Size.Format(question.Spec.Machine.Disk)} is a file, and this process may write none of more than {Size.Format(most)}")
            {
                Where = "ulimit -f",
                Remedy = "raise the limit (ulimit -f unlimited; LimitFSIZE= in a unit of systemd), or set machine.disk (--disk-size) to less",
            },
        ]);
}

/// <summary>Whether Crust runs in a container: worth knowing where something is missing.</summary>
internal sealed class ContainerCheck(HostFiles files) : IHostCheck
{
    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation) => Task.FromResult<IReadOnlyList<Finding>>(
        files.Container() is { } kind ? [new Finding("host", "container", Gravity.Note, $"Crust runs in a container ({kind})")] : []);
}
