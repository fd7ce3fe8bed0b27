using System.Globalization;

namespace Crust.Host;

/// <summary>Memory in bytes.</summary>
/// <param name="Total">All that there is, with swap: no program gets more.</param>
/// <param name="Available">What can be had now, with free swap, without another program losing its own.</param>
/// <param name="Limit">Where the limit comes from: null for the host's memory, else the control group's file.</param>
internal sealed record HostMemory(long Total, long Available, string? Limit);

/// <summary>What Linux says of itself in files.</summary>
/// <param name="root">The folder that `/proc`, `/sys`, `/run` and `/etc` are in; `/`, but in tests.</param>
internal sealed class HostFiles(string root)
{
    // A control group of version 1 without a limit has the largest multiple of a page.
    private const long NoLimit = 1L << 60;

    public static HostFiles OfHost { get; } = new("/");

    /// <summary>The memory that this process can get; null where Linux doesn't tell.</summary>
    public HostMemory? Memory()
    {
        var rows = Lines("proc/meminfo").Select(line => line.Split(':')).Where(row => row.Length == 2)
            .ToDictionary(row => row[0], row => long.TryParse(row[1].Trim().Split(' ')[0], CultureInfo.InvariantCulture, out var kib) ? kib << 10 : 0);
        if (!rows.TryGetValue("MemTotal", out var total) || !rows.TryGetValue("MemAvailable", out var available))
        {
            return null;
        }

        var host = new HostMemory(total + rows.GetValueOrDefault("SwapTotal"), available + rows.GetValueOrDefault("SwapFree"), null);
        return GroupLimits().Aggregate(host, (memory, group) => group.Total < memory.Total
            ? group with { Available = Math.Min(group.Available, memory.Available) }
            : memory with { Available = Math.Min(group.Available, memory.Available) });
    }

    /// <summary>What kind of container this process runs in; null for none, as far as can be seen.</summary>
    public string? Container() =>
        Exists("run/.containerenv") ? "Podman"
        : Exists(".dockerenv") ? "Docker"
        : Text("run/systemd/container")?.Trim() is { Length: > 0 } kind ? kind
        : Text("proc/1/cgroup") is { } groups && groups.Contains("kubepods", StringComparison.Ordinal) ? "Kubernetes"
        : null;

    /// <summary>A number that the kernel has in a file; null where it has none.</summary>
    public long? Number(string path) => long.TryParse(Text(path)?.Trim(), CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The lines of a file; none where it can't be read.</summary>
    public IReadOnlyList<string> Lines(string path) => Text(path)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    // Version 2 has one line "0::/path", version 1 one for each controller: "4:memory:/path". In a container the path may be the host's, and what
    // counts is at the top; a group's limit counts for those below it.
    private IEnumerable<HostMemory> GroupLimits()
    {
        foreach (var parts in Lines("proc/self/cgroup").Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3))
        {
            var files = parts switch
            {
                ["0", "", _] => (Top: "sys/fs/cgroup", Limit: "memory.max", Used: "memory.current", Cache: "inactive_file "),
                [_, var controllers, _] when controllers.Split(',').Contains("memory") =>
                    (Top: "sys/fs/cgroup/memory", Limit: "memory.limit_in_bytes", Used: "memory.usage_in_bytes", Cache: "total_inactive_file "),
                _ => default,
            };
            if (files.Top is null)
            {
                continue;
            }

            for (var group = parts[2].Trim('/'); ; group = Path.GetDirectoryName(group) ?? "")
            {
                var folder = Path.Combine(files.Top, group);
                if (Number(Path.Combine(folder, files.Limit)) is { } limit and < NoLimit)
                {
                    // Cached files are given back as soon as memory is asked for.
                    var cache = Lines(Path.Combine(folder, "memory.stat")).FirstOrDefault(line => line.StartsWith(files.Cache, StringComparison.Ordinal)) is { } line
                        && long.TryParse(line[files.Cache.Length..], CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;
                    yield return new HostMemory(limit, limit - Math.Max(0, (Number(Path.Combine(folder, files.Used)) ?? 0) - cache), "/" + Path.Combine(folder, files.Limit));
                }

                if (group.Length == 0)
                {
                    break;
                }
            }
        }
    }

    private bool Exists(string path) => Path.Exists(Path.Combine(root, path));

    private string? Text(string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(root, path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
