using System.Globalization;
using Crust.Spec;

namespace Crust.Machines;

/// <summary>How long QEMU may be silent.</summary>
/// <param name="Counted">The time that counts: that in which this host let QEMU, and Crust, go on.</param>
/// <param name="Look">What this host is short of just now, for a process by its id.</param>
internal sealed record SilenceLimit(TimeSpan Counted, Func<int, HostShortage> Look);

/// <summary>
/// Tells a QEMU that has hung from one that this host doesn't let run: time counts only while Crust's own clock rings as it should, QEMU isn't stopped or held in
/// the kernel, and neither memory nor disks hold up what runs here. What never ends is the deadline's to end.
/// </summary>
/// <param name="limit">How long QEMU may be silent.</param>
internal sealed class SilenceWatch(SilenceLimit limit, int process, TimeProvider time)
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(1);

    // A timer of a second that rings this late shows a host, or a Crust, that stood still.
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(2);

    private readonly long _asked = time.GetTimestamp();
    private readonly SortedDictionary<string, int> _shortages = new(StringComparer.Ordinal);
    private long _looked = time.GetTimestamp();
    private TimeSpan _counted;

    /// <summary>How often to look.</summary>
    public TimeSpan Interval => limit.Counted < LongestInterval ? limit.Counted : LongestInterval;

    /// <summary>Looks, once each interval; gives the sentence that says so where QEMU has been silent for too long.</summary>
    public string? Look()
    {
        var passed = time.GetElapsedTime(_looked);
        _looked = time.GetTimestamp();
        if ((passed > Interval + Late ? "CPU time (Crust itself was held up)" : limit.Look(process).What) is { } shortage)
        {
            _shortages[shortage] = _shortages.GetValueOrDefault(shortage) + 1;
            return null;
        }

        _counted += passed;
        return _counted < limit.Counted ? null : Sentence();
    }

    private string Sentence()
    {
        var silent = time.GetElapsedTime(_asked).TotalSeconds;
        var text = $"QEMU hasn't answered for {(silent < 1 ? $"{silent.ToString("0.0", CultureInfo.InvariantCulture)} seconds" : Duration.Format(TimeSpan.FromSeconds(Math.Floor(silent))))}";
        return _shortages.Count == 0 ? text : $"{text}; for a part of that this host was short of {string.Join(", and of ", _shortages.OrderByDescending(row => row.Value).Select(row => row.Key))}";
    }
}

/// <summary>What keeps a process of this host from going on.</summary>
/// <param name="What">In a few words; null for nothing that shows.</param>
internal sealed record HostShortage(string? What)
{
    // Percent of the last ten seconds in which some, or all, of what runs here waited.
    private const double MuchWaiting = 40;

    private static readonly HostShortage None = new((string?)null);

    /// <summary>What keeps this process, by its state and by the kernel's pressure stall information.</summary>
    public static HostShortage Of(int process) => Of(Read($"/proc/{process}/stat"), Read("/proc/pressure/memory"), Read("/proc/pressure/io"), Read("/proc/pressure/cpu"));

    /// <summary>The same from the files' texts; empty for one that can't be read.</summary>
    internal static HostShortage Of(string stat, string memory, string io, string cpu) => StateIn(stat) switch
    {
        'T' or 't' => new HostShortage("QEMU's own running: somebody has stopped its process"),
        _ when Waiting(memory) is { } percent && percent >= MuchWaiting => new HostShortage($"memory ({percent:0} % of the time)"),
        _ when Waiting(io) is { } percent && percent >= MuchWaiting => new HostShortage("what its disks give (I/O)"),
        'D' => new HostShortage("what its disks give (QEMU waits in the kernel)"),
        _ when Waiting(cpu) is { } percent && percent >= 90 => new HostShortage("CPU time"),
        _ => None,
    };

    // pid (name) S …: the name may hold blanks and parentheses.
    private static char StateIn(string stat) => stat.LastIndexOf(')') is >= 0 and var end && end + 2 < stat.Length ? stat[end + 2] : '?';

    // "some avg10=12.34 avg60=…", then "full avg10=…": what counts is that some waited.
    private static double? Waiting(string pressure) =>
        pressure.IndexOf("some avg10=", StringComparison.Ordinal) is >= 0 and var at
            && double.TryParse(pressure.AsSpan(at + 11, pressure.AsSpan(at + 11).IndexOf(' ')), NumberStyles.Float, CultureInfo.InvariantCulture, out var percent)
            ? percent
            : null;

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
