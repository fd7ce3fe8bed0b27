using System.Collections.Immutable;

namespace Crust.Machines;

/// <summary>How an install went over time, for its report. All times are seconds since QEMU's start.</summary>
internal sealed record InstallTrace
{
    /// <summary>The trace of nothing.</summary>
    internal static InstallTrace None { get; } = new() { Samples = [], Boots = [], Screens = [] };

    /// <summary>What the guest had written and QEMU had used, in the order of time; at most some hundred, spread over the whole run.</summary>
    public required ImmutableArray<TraceSample> Samples { get; init; }

    /// <summary>When the guest booted: at 0, and after each reset.</summary>
    public required ImmutableArray<double> Boots { get; init; }

    /// <summary>Pictures of the guest's screen, in the order of time.</summary>
    public required ImmutableArray<TraceScreen> Screens { get; init; }
}

/// <summary>A look at a running machine.</summary>
/// <param name="Seconds">When.</param>
/// <param name="BytesWritten">Bytes that the guest had written to its disks until then.</param>
/// <param name="CpuSeconds">CPU time that QEMU had used until then, in seconds.</param>
internal readonly record struct TraceSample(double Seconds, long BytesWritten, double CpuSeconds);

/// <summary>A picture of the guest's screen.</summary>
/// <param name="Seconds">When it was taken.</param>
/// <param name="File">The PNG's file name, in the folder of the run's screens.</param>
internal readonly record struct TraceScreen(double Seconds, string File);
