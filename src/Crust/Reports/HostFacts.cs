using Crust.Spec;

namespace Crust.Reports;

/// <summary>The host that a build ran on.</summary>
internal sealed record HostFacts
{
    /// <summary>Its distribution, as os-release(5) names it; "Linux" if it doesn't.</summary>
    public required string System { get; init; }

    /// <summary>Its kernel's release.</summary>
    public required string Kernel { get; init; }

    /// <summary>CPUs that this process may use.</summary>
    public required int Cpus { get; init; }

    /// <summary>Memory that this process may use, in bytes.</summary>
    public required long Memory { get; init; }

    /// <summary>This host.</summary>
    public static HostFacts Read() => new()
    {
        System = Line("/etc/os-release", "PRETTY_NAME=")?.Trim('"') ?? "Linux",
        Kernel = Line("/proc/sys/kernel/osrelease", "") ?? "unknown",
        Cpus = Environment.ProcessorCount,
        Memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
    };

    /// <summary>The same in one line.</summary>
    public override string ToString() => $"{System}, Linux {Kernel}, {Cpus} CPU{(Cpus == 1 ? "" : "s")}, {Size.Format(Memory)} of memory";

    private static string? Line(string path, string start)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal))?[start.Length..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
