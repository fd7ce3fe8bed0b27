namespace Crust.Tools;

/// <summary>The most that a program may take, for one that reads what somebody else has made; null is no limit.</summary>
/// <param name="Memory">Bytes of address space (RLIMIT_AS); what goes beyond fails.</param>
/// <param name="Cpu">CPU time (RLIMIT_CPU), in whole seconds; then it is ended.</param>
/// <param name="Time">Time from its start on; then it is ended.</param>
internal sealed record ToolLimits(long? Memory = null, TimeSpan? Cpu = null, TimeSpan? Time = null)
{
    /// <summary>The program that sets limits of its own process and then becomes another program, so that they hold from that one's first instruction on.</summary>
    internal const string Program = "prlimit";

    // For a program that doesn't mind SIGXCPU.
    private const long MoreCpu = 5;

    /// <summary>A GiB of memory, and no other limit.</summary>
    public static ToolLimits OfMemory { get; } = new(1L << 30);

    // At the first number of CPU time the kernel sends SIGXCPU, which can be told from somebody's kill; at the second SIGKILL.
    internal IEnumerable<string> Arguments =>
    [
        .. Memory is { } memory ? new[] { $"--as={memory}" } : [],
        .. Cpu is { } cpu ? new[] { $"--cpu={(long)cpu.TotalSeconds}:{(long)cpu.TotalSeconds + MoreCpu}" } : [],
    ];
}
