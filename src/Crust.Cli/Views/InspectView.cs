using Crust.Inspection;
using Crust.Spec;

namespace Crust.Cli.Views;

/// <summary>Shows what is on images: a page for each, in plain lines.</summary>
internal static class InspectView
{
    private const int Margin = 12;

    /// <summary>One page after the other, with an empty line between them.</summary>
    public static void Write(IReadOnlyList<Inspected> files, TextWriter output)
    {
        for (var i = 0; i < files.Count; i++)
        {
            if (i > 0)
            {
                output.WriteLine();
            }

            foreach (var (name, value) in Page(files[i]))
            {
                output.WriteLine($"{name.PadRight(Margin)}{value}".TrimEnd());
            }
        }
    }

    private static IEnumerable<(string Name, string Value)> Page(Inspected file)
    {
        var what = file.Kind == "iso" ? "an ISO" : $"a disk of {Size.Format(file.Disk!.Size)} ({file.Kind})";
        return file.Disk is { } disk ? Disk(disk).Prepend((file.File, $"\n{"",Margin}{what}, {Size.Format(file.Size)}"))
            : Iso(file.Iso!).Prepend((file.File, $"\n{"",Margin}{what}, {Size.Format(file.Size)}"));
    }

    private static IEnumerable<(string Name, string Value)> Iso(IsoInspection iso)
    {
        yield return ("volume", iso.VolumeId.Length > 0 ? iso.VolumeId : "without an id");
        if (iso.Title is not null)
        {
            yield return ("title", iso.Title);
        }

        yield return ("boots", (iso.BootsBios, iso.BootsUefi) switch
        {
            (true, true) => "from CD under BIOS and UEFI",
            (true, false) => "from CD under BIOS",
            (false, true) => "from CD under UEFI",
            _ => "not: it has no boot image for a PC",
        } + (iso.Hybrid == "none" ? "" : $"; from a USB stick ({iso.Hybrid})"));
        yield return ("whole", iso.Missing == 0 ? "yes" : $"NO: {Size.Format(iso.Missing)} are missing at its end; copy or download it again");
        yield return ("installs", iso.Profile is null ? "it doesn't say what" : $"{iso.Profile}, by {iso.ProfileSign}");
        yield return ("seeds", iso.Seeds.IsEmpty ? "not known" : string.Join(", ", iso.Seeds));
    }

    private static IEnumerable<(string Name, string Value)> Disk(DiskInspection disk) =>
    [
        .. disk.Systems.SelectMany(System),
        ("boots", Boots(disk.Boot)),
        .. Volumes(disk).Select((line, i) => (i == 0 ? disk.Table == "none" ? "volumes" : disk.Table : "", line)),
        .. Findings(disk).Select((line, i) => (i == 0 ? "findings" : "", line)),
    ];

    private static IEnumerable<(string Name, string Value)> System(SystemFacts system)
    {
        yield return ("system", $"{system.Name}, {system.Volume}{(system.Folder == "/" ? "" : $", {system.Folder}")}");
        yield return ("", system.Kernels.IsEmpty ? "no kernel" : string.Join(", ", system.Kernels));
        yield return ("", $"host name {(system.HostName.Length > 0 ? system.HostName : "none")}, machine-id {system.MachineId}");
        yield return ("", system.SshHostKeys.IsEmpty ? "no SSH host keys" : $"SSH host keys {string.Join(", ", system.SshHostKeys)}");
        yield return ("", system.Accounts.IsEmpty ? "nobody can log in" : $"who can log in: {string.Join(", ", system.Accounts.Select(Account))}");
        if (!system.FirstBootAccounts.IsEmpty)
        {
            yield return ("", $"made by the first boot: {string.Join(", ", system.FirstBootAccounts.Select(Account))}");
        }

        if (!system.Seed.IsEmpty)
        {
            yield return ("", $"seed {string.Join(", ", system.Seed)}");
        }

        if (!system.Swap.IsEmpty)
        {
            yield return ("", $"swap {string.Join(", ", system.Swap)}");
        }
    }

    private static string Account(AccountFacts account)
    {
        string?[] ways =
        [
            account.Password switch { "none" => null, "locked" => "password locked", "empty" => "no password needed", "set" => "password", var kind => $"password {kind}" },
            account.Keys switch { 0 => null, 1 => "1 key", var count => $"{count} keys" },
            account.Shell.Length > 0 ? account.Shell : null,
        ];
        return $"{account.Name} ({string.Join(", ", ways.OfType<string>())})";
    }

    private static string Boots(BootFacts boot)
    {
        string?[] ways =
        [
            boot.Bios is null ? null : $"under BIOS ({(boot.Bios == "unknown" ? "a boot loader that isn't known" : boot.Bios)})",
            boot.Uefi.IsEmpty ? null : $"under UEFI ({string.Join(", ", boot.Uefi)})",
        ];
        return ways.OfType<string>().ToList() is { Count: > 0 } known ? string.Join("; ", known) : "not: it has no boot loader";
    }

    private static IEnumerable<string> Volumes(DiskInspection disk)
    {
        if (disk.Volumes.IsEmpty)
        {
            return ["nothing: no partition and no file system that is known"];
        }

        var rows = disk.Volumes.Select(volume => new[]
        {
            volume.Name + (volume.PartitionName is { } name ? $" '{name}'" : ""),
            volume.PartitionType ?? "",
            Size.Format(volume.Size),
            (volume.FileSystem ?? "-") + (volume.Label is { } label ? $" '{label}'" : ""),
            volume.Used is { } used ? $"{Size.Format(used)} used, {Size.Format(volume.Free ?? 0)} free" : volume.Unread ?? "",
        }).ToList();
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToList();
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => column == 2 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
    }

    private static IEnumerable<string> Findings(DiskInspection disk) => disk.Findings.IsEmpty ? ["none"] : disk.Findings.SelectMany(finding =>
        new[] { $"{finding.Gravity,-8} {finding.What} ({finding.Where})" }.Concat(finding.Remedy is { } remedy ? [$"{"",-8} to do: {remedy}"] : []));
}
