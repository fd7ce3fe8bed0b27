using System.Globalization;
using Crust.Disks;
using Crust.Spec;

namespace Crust.Inspection;

/// <summary>What was found on a disk, as people say it.</summary>
internal static class InspectionWords
{
    /// <summary>A system, in lines with a word for each.</summary>
    public static IEnumerable<(string Name, string Value)> Of(SystemFacts system)
    {
        yield return ("system", $"{system.Name}, {system.Volume}{(system.Folder == "/" ? "" : $", {system.Folder}")}");
        yield return ("kernel", system.Kernels.IsEmpty ? "none" : string.Join(", ", system.Kernels));
        if (system.PackageCount is { } packages)
        {
            yield return ("packages", packages.ToString("N0", CultureInfo.InvariantCulture));
        }

        yield return ("host name", $"{(system.HostName.Length > 0 ? system.HostName : "none")}; machine-id {system.MachineId}");
        yield return ("host keys", system.SshHostKeys.IsEmpty ? "none" : string.Join(", ", system.SshHostKeys));
        yield return ("accounts", system.Accounts.IsEmpty ? "nobody can log in" : string.Join(", ", system.Accounts.Select(Of)));
        if (!system.FirstBootAccounts.IsEmpty)
        {
            yield return ("", $"made by the first boot: {string.Join(", ", system.FirstBootAccounts.Select(Of))}");
        }

        if (!system.Seed.IsEmpty)
        {
            yield return ("seed", string.Join(", ", system.Seed));
        }

        if (!system.Swap.IsEmpty)
        {
            yield return ("swap", string.Join(", ", system.Swap));
        }
    }

    public static string Of(BootFacts boot)
    {
        string?[] ways =
        [
            boot.Bios is null ? null : $"under BIOS ({(boot.Bios == "unknown" ? "a boot loader that isn't known" : boot.Bios)})",
            boot.Uefi.IsEmpty ? null : $"under UEFI ({string.Join(", ", boot.Uefi)})",
            boot.RaspberryPi is { IsEmpty: false } models ? $"on a Raspberry {string.Join(" and a ", models)}" : null,
        ];
        return ways.OfType<string>().ToList() is { Count: > 0 } known ? string.Join("; ", known) : "not: it has no boot loader";
    }

    /// <summary>What a volume is called, with its name in the partition table.</summary>
    public static string NameOf(VolumeFacts volume) => volume.Name + (volume.PartitionName is { } name ? $" '{name}'" : "");

    /// <summary>What is on a volume: `ext4 'root'`, or `-` if that isn't known.</summary>
    public static string ContentOf(VolumeFacts volume) => (volume.FileSystem ?? "-") + (volume.Label is { } label ? $" '{label}'" : "");

    /// <summary>How full a volume is, or why that isn't known; empty if there is nothing to say.</summary>
    public static string UseOf(VolumeFacts volume) =>
        volume.Used is { } used ? $"{Size.Format(used)} used, {Size.Format(volume.Free ?? 0)} free" : volume.Unread ?? "";

    public static string Of(TidiedPart part) => $"{part.Step}: {part.Path}{(part.Files == 1 ? "" : $", {part.Files} files")}{(part.Bytes == 0 ? "" : $", {Size.Format(part.Bytes)}")}";

    private static string Of(AccountFacts account)
    {
        string?[] ways =
        [
            account.Password switch { "none" => null, "locked" => "password locked", "empty" => "no password needed", "set" => "password", var kind => $"password {kind}" },
            account.Keys switch { 0 => null, 1 => "1 key", var count => $"{count} keys" },
            account.Shell.Length > 0 ? account.Shell : null,
        ];
        return $"{account.Name} ({string.Join(", ", ways.OfType<string>())})";
    }
}
