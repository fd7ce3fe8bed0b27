using Crust.Seeds.Documents;
using Crust.Spec;
using YamlDotNet.Core;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether the files that a document writes can be written, and are what their names say.</summary>
internal static class WriteFilesRules
{
    public static readonly SeedRule RelativePath = new("relative-path", SeedSeverity.Error, "A file whose path doesn't begin at the root", "write_files: [{path: etc/motd}]",
        "write the whole path, from / on");

    public static readonly SeedRule Encoding = new("file-encoding", SeedSeverity.Error, "A content that isn't what `encoding` says: base64, or gzip in base64", "encoding: b64 (and plain text)",
        "encode it with `base64 -w0`, or leave out encoding");

    public static readonly SeedRule TwoContents = new("two-contents", SeedSeverity.Warning, "A file with both `content` and `source`: cloud-init takes the content only if it can't fetch the source",
        "write_files: [{content: a, source: {uri: …}}]", "keep one of the two");

    public static readonly SeedRule EmbeddedYaml = new("embedded-yaml", SeedSeverity.Error, "A tab that indents a line of a YAML file that is written: its reader refuses the file",
        "write_files: [{path: /etc/netplan/1.yaml, content: …}]", "indent with spaces")
    { WarnsOnly = "for all else that isn't YAML" };

    public static readonly SeedRule OwnerLater = new("owner-later", SeedSeverity.Warning,
        "A file of an account, or below a home folder, that cloud-init makes only after it has written files: the owner isn't there yet",
        "write_files: [{path: /srv/x, owner: svc}] with svc in users", "add defer: true to the file");

    public static readonly SeedRule TooEarly = new("too-early", SeedSeverity.Warning, "A command of bootcmd that runs a file of write_files, which is written after it at the first boot",
        "bootcmd: [/usr/local/bin/x] with that path in write_files", "move the command to runcmd");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
        [.. CheckFiles(request), .. new[] { request.CloudConfig, Find(request.Autoinstall, "user-data") }.SelectMany(document => CheckOrder(request, document))];

    // cloud-init's order: bootcmd, write_files, users and groups, runcmd, files with defer (canonical/cloud-init#6042).
    private static IEnumerable<SeedFinding> CheckOrder(SeedCheckRequest request, ConfigNode? document)
    {
        if (request.Spec.Seed.Kind is not (SeedKind.Nocloud or SeedKind.Autoinstall) || request.Profile is not (null or SeedProfile.Debian) || Find(document, "write_files") is not ConfigList files)
            yield break;

        var accounts = MadeIn(document, "users", "user").ToHashSet();
        var groups = MadeIn(document, "groups", "").Concat(accounts).ToHashSet();
        foreach (var file in files.Items.Where(file => !IsTrue(Find(file, "defer"))))
        {
            if (Find(file, "owner") is ConfigScalar { IsNull: false, IsSecret: false } owner && owner.Value.Split(':', 2) is var names
                && (accounts.Contains(names[0].Trim()) || (names.Length > 1 && groups.Contains(names[1].Trim()))))
                yield return OwnerLater.At(owner, "The owner is made after the file is written: cloud-init fails here, and leaves out the files below");
            else if (Find(file, "path") is ConfigScalar { IsSecret: false } path && accounts.Any(account => path.Value.StartsWith($"/home/{account}/", StringComparison.Ordinal)))
                yield return OwnerLater.At(path, "The file is written before the account is made: the home folder belongs to root then");
        }

        var written = files.Items.Select(file => Find(file, "path")).OfType<ConfigScalar>().Select(path => path.Value).Where(path => path.Length > 1).ToHashSet();
        foreach (var command in Find(document, "bootcmd") is ConfigList commands ? commands.Items : [])
        {
            var first = command switch
            {
                ConfigList { Items: [ConfigScalar program, .. var rest] } =>
                    program.Value is "sh" or "bash" or "/bin/sh" or "/bin/bash" && rest is [ConfigScalar script, ..] ? script.Value : program.Value,
                ConfigScalar text => text.Value.Split([' ', '\t', ';', '\n'], 3) is [var one, .. var more] ? one is "sh" or "bash" or "/bin/sh" or "/bin/bash" && more.Length > 0 ? more[0] : one : "",
                _ => "",
            };
            if (written.Contains(first))
                yield return TooEarly.At(command, "bootcmd runs this file before write_files has written it, at the first boot");
        }
    }

    private static IEnumerable<string> MadeIn(ConfigNode? document, string list, string single)
    {
        IEnumerable<ConfigNode> several = Find(document, list) switch
        {
            ConfigList items => items.Items,
            ConfigMap map => map.Entries.Select(entry => entry.Key),
            null => [],
            var one => [one],
        };
        return several.Append(Find(document, single)).SelectMany(entry => entry switch
        {
            ConfigScalar { IsNull: false } names => names.Value.Split(',', StringSplitOptions.TrimEntries),
            ConfigMap account when Find(account, "name") is ConfigScalar name => [name.Value],
            ConfigMap group when list == "groups" => group.Entries.Select(member => member.Name ?? ""),
            _ => [],
        }).Where(name => name is not ("" or "default" or "root"));
    }

    private static IEnumerable<SeedFinding> CheckFiles(SeedCheckRequest request)
    {
        foreach (var file in FilesOf(request))
        {
            if (Find(file, "path") is ConfigScalar { IsNull: false } path && !path.Value.StartsWith('/') && !path.Value.Contains("{{", StringComparison.Ordinal))
                yield return RelativePath.At(path, "The file's path doesn't begin with a slash");
            if (Find(file, "content") is not ConfigScalar { IsNull: false, IsSecret: false } content)
                continue;
            if (Find(file, "source") is { } source)
                yield return TwoContents.At(source, "The file has both content and source: the content is taken only if the source can't be fetched");
            if (Find(file, "encoding") is ConfigScalar encoding && CheckEncoding(encoding.Value, content.Value) is { } wrong)
                yield return Encoding.At(content, wrong);
            else if (IsYaml(file) && CheckYaml(request, content) is { } finding)
                yield return finding;
        }
    }

    private static IEnumerable<ConfigNode> FilesOf(SeedCheckRequest request)
    {
        IEnumerable<ConfigNode?> lists =
        [
            Find(request.CloudConfig, "write_files"),
            Find(request.Autoinstall, "user-data", "write_files"),
            .. Find(request.CloudConfig, "stages") is ConfigMap stages ? stages.Entries.SelectMany(stage => stage.Value is ConfigList steps ? steps.Items : []).Select(step => Find(step, "files"))
                : [],
        ];
        return lists.OfType<ConfigList>().SelectMany(list => list.Items).OfType<ConfigMap>();
    }

    private static string? CheckEncoding(string encoding, string content)
    {
        if (encoding is not ("b64" or "base64" or "gz+b64" or "gz+base64" or "gzip+b64" or "gzip+base64"))
            return null;
        var text = string.Concat(content.Where(c => !char.IsWhiteSpace(c)));
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out var length))
            return $"The content isn't base64, and encoding is {encoding}";
        return encoding.StartsWith('g') && bytes.AsSpan(0, length) is not [0x1f, 0x8b, ..]
            ? $"The content isn't gzip, and encoding is {encoding}"
            : null;
    }

    private static bool IsYaml(ConfigNode file) => Find(file, "encoding") is null && Find(file, "path") is ConfigScalar { Value: var path }
        && (path.EndsWith(".yaml", StringComparison.Ordinal) || path.EndsWith(".yml", StringComparison.Ordinal));

    // Only what no reader of YAML takes, so events are enough; templates aren't YAML yet.
    private static SeedFinding? CheckYaml(SeedCheckRequest request, ConfigScalar content)
    {
        if (content.Value.Contains("{{", StringComparison.Ordinal) || content.Value.Contains("{%", StringComparison.Ordinal))
            return null;

        var lines = content.Value.Split('\n');
        var tab = Array.FindIndex(lines, line => line.TrimStart(' ').StartsWith('\t') && line.Trim().Length > 0);
        try
        {
            var parser = new BoundedYaml(content.Value, content.Place.Source);
            while (parser.MoveNext())
            {
            }

            return null;
        }
        catch (CrustException)
        {
            // What is beyond Crust's own bounds may be within its reader's.
            return null;
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException or ArgumentException)
        {
            return tab >= 0
                ? EmbeddedYaml.At(InBlock(request, content, tab, lines[tab].IndexOf('\t')), "A tab indents a line of a YAML file, which YAML doesn't allow")
                : EmbeddedYaml.Warn(content.Place, "The content isn't YAML, and the file's name says that it is", "mend the content, or give the file another name");
        }
    }

    // A block's lines begin below its sign, all with the same indentation, which the first line shows.
    private static Place InBlock(SeedCheckRequest request, ConfigScalar content, int line, int column)
    {
        var source = request.Files.UserData.FirstOrDefault(file => file.Path == content.Place.Source)?.Text.Split('\n');
        if (content.Style is not ScalarStyle.Literal || source is null || content.Place.Line >= source.Length)
            return content.Place;
        var indentation = source.Skip(content.Place.Line).First(text => text.Trim().Length > 0).TakeWhile(c => c == ' ').Count();
        return content.Place with { Line = content.Place.Line + line + 1, Column = indentation + column + 1 };
    }
}
