using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Layers;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Tests.Spec;
using Crust.Trees;

namespace Crust.Tests.Layers;

/// <summary>
/// What `flatcar-reset` leaves of an extension. Its rules, read in flatcar/init@17224c8 bin/flatcar-reset (`generate_regex`) and flatcar/bootengine@003a67d dracut/99setup-root/initrd-setup-root
/// (`selectiveosreset`): `find / -xdev`, so partitions other than ROOT stay; what `-regextype egrep -regex` finds stays, which is the whole path; a pattern that starts with a slash, and doesn't end
/// with one of `$ ) * ] ?`, is also taken with `/.*` behind it. Then Ignition runs, after ignition-setup.sh (dracut/53ignition, bootengine@1f1a303) has given it `base/base.ign` of the OEM partition.
/// </summary>
public sealed class FlatcarResetTests
{
    private static readonly SysextToPlace Tool = new("tool", "tool-1.2-x86-64.raw", TreeContent.Of("an image"), new Uri("https://extensions.example.org/stable/"), "a key"u8.ToArray());

    [Test]
    public void From_the_OEM_partition_Ignition_brings_all_back_that_a_reset_takes_away()
    {
        var placed = Place("OEM");

        var left = Reset(placed);

        Assert.That(left.Select(entry => entry.Path), Is.EqualTo(new[] { "oem/base/crust-tool.ign", "oem/extensions/tool/tool-1.2-x86-64.raw" }));
        Assert.That(Ignite(left).Select(Shown).Order(StringComparer.Ordinal), Is.EqualTo(placed.Where(entry => !IsOnOem(entry)).Select(Shown).Order(StringComparer.Ordinal)));
    }

    [Test]
    public void On_ROOT_nothing_is_left_unless_the_paths_are_kept_that_the_documentation_names()
    {
        var placed = Place("ROOT");
        var page = File.ReadAllText(RepositoryFile.PathOf("docs/layers.md"));
        var command = Regex.Match(page, "flatcar-reset --keep-paths (?<paths>.*)").Groups["paths"].Value;
        var paths = Regex.Matches(command, "'([^']*)'").Select(match => match.Groups[1].Value).ToArray();

        Assert.That(Reset(placed), Is.Empty);
        Assert.That(paths, Has.Length.EqualTo(4));
        Assert.That(Reset(placed, paths).Select(Shown), Is.EqualTo(placed.Select(Shown)));
        foreach (var path in paths)
        {
            Assert.That(Reset(placed, [.. paths.Except([path])]), Has.Count.LessThan(placed.Count), $"{path} is needed");
        }
    }

    [TestCase("/etc/extensions", "/etc/extensions/tool.raw", true)]
    [TestCase("/etc/extensions/", "/etc/extensions/tool.raw", true)]
    [TestCase("/etc/extensions$", "/etc/extensions/tool.raw", false)]
    [TestCase("/etc/sysupdate", "/etc/sysupdate.d/noop.conf", false)]
    [TestCase("/etc/sysupdate.*", "/etc/sysupdate.d/noop.conf", true)]
    public void The_rules_are_those_of_the_script(string pattern, string path, bool stays) => Assert.That(Keeps([pattern], path), Is.EqualTo(stays));

    private static List<TreeEntry> Place(string partition) =>
        [.. SysextPlace.TreeOf(Tool, new LayerSpec.Sysext(new SysextOrigin.Local("tool.raw"), "flatcar", partition) { Where = "here" }, SysextProfile.Flatcar).Entries.Where(entry => entry.Kind is not EntryKind.Folder)];

    private static List<TreeEntry> Reset(IEnumerable<TreeEntry> placed, params string[] kept) => [.. placed.Where(entry => IsOnOem(entry) || Keeps(kept, "/" + entry.Path))];

    private static bool IsOnOem(TreeEntry entry) => entry.Path.StartsWith("oem/", StringComparison.Ordinal);

    private static bool Keeps(string[] kept, string path)
    {
        var patterns = kept.Select(pattern => pattern.EndsWith('/') ? pattern[..^1] : pattern)
            .SelectMany(pattern => pattern.StartsWith('/') && !"$)*]?".Contains(pattern[^1]) ? new[] { pattern + "/.*", pattern } : [pattern]);
        return Regex.IsMatch(path, $"^({string.Join('|', patterns.Append("/selective-os-reset"))})$");
    }

    // Files and links of the fragment that is put into base/base.ign.
    private static IEnumerable<TreeEntry> Ignite(IEnumerable<TreeEntry> left)
    {
        using var json = JsonDocument.Parse(Text(left.Single(entry => entry.Path.EndsWith(".ign", StringComparison.Ordinal))));
        var storage = json.RootElement.GetProperty("storage");
        var files = storage.GetProperty("files").EnumerateArray().Select(file =>
            TreeEntry.File(file.GetProperty("path").GetString()![1..], TreeContent.Of(Convert.FromBase64String(file.GetProperty("contents").GetProperty("source").GetString()!.Split(',')[1]))));
        var links = storage.GetProperty("links").EnumerateArray().Select(link => TreeEntry.Symlink(link.GetProperty("path").GetString()![1..], link.GetProperty("target").GetString()!));
        return [.. files, .. links];
    }

    private static string Shown(TreeEntry entry) => entry.Kind is EntryKind.Symlink ? $"{entry.Path} -> {entry.LinkTarget}" : $"{entry.Path}: {Text(entry)}";

    private static string Text(TreeEntry entry) => Encoding.UTF8.GetString(entry.Content.Read(0, 1 << 20));
}
