using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>A system extension that is to lie on a disk.</summary>
/// <param name="Name">What it is called on the system.</param>
/// <param name="FileName">The name of its file.</param>
/// <param name="Index">Where newer versions of it are; null for one that isn't updated.</param>
/// <param name="Keyring">The public keys that sign the index, as GPG exports them; null where it isn't signed.</param>
internal sealed record SysextToPlace(string Name, string FileName, TreeContent Content, Uri? Index, byte[]? Keyring);

/// <summary>Where the systems look for extensions, for what updates them, and what of it a reset leaves.</summary>
internal static class SysextPlace
{
    /// <summary>The label of the partition on which Kairos keeps what stays.</summary>
    public const string KairosVolume = "COS_PERSISTENT";

    /// <summary>The unit that merges extensions; Flatcar and Kairos have it enabled.</summary>
    public const string Unit = "/usr/lib/systemd/system/systemd-sysext.service";

    private const string Oem = "OEM";
    private const string Keyring = "etc/systemd/import-pubring.gpg";
    private const int Readable = 420;

    // What Kairos mounts at /var/lib/kairos; extensions in `common` are merged whatever was booted.
    private const string KairosFolder = ".state/var-lib-kairos.bind/extensions";

    /// <summary>The name by which the system knows the file, which is what its release file has to be called after.</summary>
    public static string MergedName(string name, SysextProfile profile) => name + SuffixOf(profile);

    public static string SuffixOf(SysextProfile profile) => profile is SysextProfile.Kairos ? ".sysext.raw" : ".raw";

    /// <summary>What is put onto the disk; of Kairos, onto <see cref="KairosVolume"/>.</summary>
    public static FileTree TreeOf(SysextToPlace file, LayerSpec.Sysext spec, SysextProfile profile)
    {
        var merged = MergedName(file.Name, profile);
        if (profile is SysextProfile.Kairos)
        {
            return FileTree.Empty.With(
                TreeEntry.File($"{KairosFolder}/{merged}", file.Content),
                TreeEntry.Symlink($"{KairosFolder}/common/{merged}", $"/var/lib/kairos/extensions/{merged}"));
        }

        ImmutableArray<TreeEntry> enabled = profile is SysextProfile.Flatcar ? [] : [TreeEntry.Symlink("etc/systemd/system/sysinit.target.wants/systemd-sysext.service", Unit)];
        if (profile is not SysextProfile.Flatcar && file.Index is null)
        {
            return FileTree.Empty.With([TreeEntry.File($"var/lib/extensions/{merged}", file.Content), .. enabled]);
        }

        var isOem = spec.Partition == Oem;
        var path = isOem ? $"oem/extensions/{file.Name}/{file.FileName}" : $"{TransferFile.FolderOf(file.Name)[1..]}/{file.FileName}";
        var texts = Texts(file);
        var tree = FileTree.Empty.With([
            TreeEntry.File(path, file.Content),
            TreeEntry.Symlink(TransferFile.LinkOf(file.Name, SuffixOf(profile))[1..], $"/{path}"),
            .. texts.Select(text => TreeEntry.File(text.Path, TreeContent.Of(text.Content))),
            .. enabled,
        ]);
        return isOem ? tree.With(TreeEntry.File(FragmentOf(file.Name), TreeContent.Of(Fragment(file.Name, path, texts)))) : tree;
    }

    /// <summary>Where the tree has what is added to the OEM partition's own configuration of Ignition, and taken away afterwards.</summary>
    public static string FragmentOf(string name) => $"oem/base/crust-{name}.ign";

    private static ImmutableArray<(string Path, byte[] Content)> Texts(SysextToPlace file)
    {
        if (file.Index is not { } index || SysextFile.Of(file.FileName) is not { } published)
        {
            return [];
        }

        var definition = Encoding.UTF8.GetBytes(TransferFile.Of(published, index, file.Keyring is not null));
        return
        [
            .. TransferFile.Extensions.Select(extension => ($"etc/sysupdate.{file.Name}.d/{file.Name}{extension}", definition)),
            .. TransferFile.Extensions.Select(extension => ($"etc/sysupdate.d/noop{extension}", Encoding.UTF8.GetBytes(TransferFile.Noop))),
            .. file.Keyring is { } keyring ? new[] { (Keyring, keyring) } : [],
        ];
    }

    // flatcar-reset empties the root file system and has Ignition run again, which reads base/base.ign of the OEM partition each time: so link and definitions come back.
    private static string Fragment(string name, string path, ImmutableArray<(string Path, byte[] Content)> texts) => new JsonObject
    {
        ["ignition"] = new JsonObject { ["version"] = FirstBootConfig.IgnitionVersion },
        ["storage"] = new JsonObject
        {
            ["files"] = new JsonArray([.. texts.Select(text => (JsonNode)new JsonObject
            {
                ["path"] = "/" + text.Path,
                ["mode"] = Readable,
                ["overwrite"] = true,
                ["contents"] = new JsonObject { ["source"] = $"data:;base64,{Convert.ToBase64String(text.Content)}" },
            })]),
            ["links"] = new JsonArray(new JsonObject { ["path"] = TransferFile.LinkOf(name, ".raw"), ["target"] = "/" + path, ["hard"] = false, ["overwrite"] = true }),
        },
    }.ToJsonString();
}
