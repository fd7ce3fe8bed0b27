using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Content;

/// <summary>Reads what a bundle is made of: each error names the file with line and column, what is wrong and what to write.</summary>
internal static partial class ContentPlanReader
{
    public const string NamePattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
    public const string TargetPattern = "[A-Za-z0-9_][A-Za-z0-9._+@-]*(/[A-Za-z0-9_][A-Za-z0-9._+@-]*)*";
    public const string HostPattern = @"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?";
    public const string MirrorPattern = HostPattern + @"(/[a-z0-9]+([._-]+[a-z0-9]+)*)*";

    /// <summary>In place of a size: one file, however large.</summary>
    public const string NoSplit = "none";

    /// <summary>A level beyond takes much memory in each of the threads.</summary>
    public const int MostLevel = 9;

    public const int MostRetries = 100;

    /// <summary>Smaller parts would be thousands.</summary>
    public const long SmallestSplit = 1 << 20;

    private const string Format = "1";
    private const int LongestTarget = 200;

    /// <exception cref="CrustException">It can't be read, or something in it is wrong.</exception>
    public static ContentPlan Read(string path) => Parse(UserFile.Read(path, path, "content"), path, Path.GetDirectoryName(Path.GetFullPath(path))!);

    /// <param name="folder">The folder that paths in it start from.</param>
    /// <exception cref="CrustException">Something in it is wrong.</exception>
    public static ContentPlan Parse(string text, string path, string folder)
    {
        var root = YamlMapping.Parse(text, path, "a list of content");
        if (root.Required("version") is not Format)
        {
            throw root.Wrong("version", "The file is of another version of Crust", $"write version: {Format}");
        }

        var name = root.Text("name") ?? Path.GetFileNameWithoutExtension(path);
        if (!NameForm().IsMatch(name))
        {
            throw root.Wrong("name", $"'{name}' can't be the name of a bundle", "write name: and at most 64 letters, digits, dots, dashes and underscores");
        }

        ImmutableArray<Arch> archs = root.Texts("archs") is { IsEmpty: false } ? ArchsOf(root) : [Arch.Amd64];
        var plan = new ContentPlan
        {
            Path = path,
            Name = name,
            Images = [.. root.Mappings("images", "image").Select(keys => ImageOf(keys, archs))],
            Files = [.. root.Mappings("files", "path").Select(keys => FileOf(keys, folder))],
            Registries = RegistriesOf(root, folder),
            Patience = PatienceOf(root),
            Split = SplitOf(root),
            Level = NumberOf(root, "level", 1, MostLevel, ContentPlan.UsualLevel),
        };
        root.End();
        return plan is { Images.IsEmpty: true, Files.IsEmpty: true }
            ? throw new CrustException(FailureKind.BadInput, "The bundle would be empty", root.Where,
                "write images: or files:, and below it lines that begin with a dash")
            : Checked(plan);
    }

    private static ContentPlan Checked(ContentPlan plan)
    {
        var names = plan.Images.Select(image => (Name: image.Tag is null ? image.Name.ToString() : $"{image.Name.Repository}:{image.Tag}", image.Where));
        if (names.GroupBy(entry => entry.Name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new CrustException(FailureKind.BadInput, $"The image {twice.Key} stands twice", twice.Last().Where,
                "keep one of the two; its archs: may name several architectures");
        }

        return plan.Files.GroupBy(file => file.To, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } taken
            ? throw new CrustException(FailureKind.BadInput, $"Two files are to be '{taken.Key}' in the bundle", taken.Last().Where, "give one of them another to:")
            : plan;
    }

    private static ContentImage ImageOf(YamlMapping keys, ImmutableArray<Arch> usual)
    {
        var (name, tag) = ReferenceOf(keys, "image", keys.Required("image"));
        var from = keys.Text("from") is { } text ? ReferenceOf(keys, "from", text).Name : null;
        if (from is { Sha256: { } source } && name.Sha256 is { } wanted && source != wanted)
        {
            throw keys.Wrong("from", "The image is to come from one with another digest", "leave the digest out of from:");
        }

        // The digest that the name has holds wherever it comes from.
        from = from is not null && name.Sha256 is not null ? from.With(name.Tag) : from;
        var image = new ContentImage(name, tag, keys.Texts("archs") is { IsEmpty: false } ? ArchsOf(keys) : usual, from, keys.Where);
        keys.End();
        return image;
    }

    private static (RegistryReference Name, string? Tag) ReferenceOf(YamlMapping keys, string key, string text)
    {
        const string scheme = "docker://";
        var plain = RegistryReference.IsImage(text) ? text[scheme.Length..] : text;
        var name = RegistryReference.ParseImage(scheme + plain, keys.WhereOf(key));
        return (name, name.Sha256 is null ? name.Tag : RegistryReference.Parse(plain[..plain.IndexOf('@', StringComparison.Ordinal)], keys.WhereOf(key), mayHaveTag: true).Tag);
    }

    private static ContentFile FileOf(YamlMapping keys, string folder)
    {
        var path = LayerType.PathOf(keys, "path", keys.Required("path"), folder);
        var to = keys.Text("to")?.TrimEnd('/') ?? Path.GetFileName(path);
        if (!TargetForm().IsMatch(to) || to.Length > LongestTarget)
        {
            throw keys.Wrong(keys.Keys.Contains("to") ? "to" : "path", $"'{to}' can't be a path in the bundle", "write to: and a relative path of letters, digits and ._+@-, such as charts/app.tgz");
        }

        var sha256 = keys.Text("sha256") is not { } sum ? null : Checksum.ValueOf(sum) ?? throw keys.Wrong("sha256", $"'{sum}' isn't a SHA-256", "write the 64 hex digits that sha256sum prints");
        var file = new ContentFile(path, to, sha256, keys.Where);
        keys.End();
        return file;
    }

    private static ImmutableSortedDictionary<string, ContentRegistry> RegistriesOf(YamlMapping root, string folder)
    {
        var all = ImmutableSortedDictionary.Create<string, ContentRegistry>(StringComparer.Ordinal);
        foreach (var keys in root.Mappings("registries"))
        {
            var host = keys.Required("registry");
            if (!HostForm().IsMatch(host))
            {
                throw keys.Wrong("registry", $"'{host}' isn't the name of a registry", "write its host's name, with its port if it has one, such as registry.example.com:5000");
            }

            if (all.ContainsKey(host))
            {
                throw keys.Wrong("registry", $"The registry {host} stands twice", "keep one of the two");
            }

            var mirror = keys.Text("mirror")?.TrimEnd('/');
            if (mirror is not null && !MirrorForm().IsMatch(mirror))
            {
                throw keys.Wrong("mirror", $"'{mirror}' can't be a mirror", "write a registry, perhaps with a path: registry.example.com/hub");
            }

            all = all.Add(host, new ContentRegistry(FolderOf(keys, "authFile", folder), FolderOf(keys, "certDir", folder), TlsOf(keys), mirror));
            keys.End();
        }

        return all;
    }

    private static string? FolderOf(YamlMapping keys, string key, string folder) => keys.Text(key) is { } text ? LayerType.PathOf(keys, key, text, folder) : null;

    private static bool TlsOf(YamlMapping keys) => keys.Text("tls") is null || LayerType.Flag(keys, "tls");

    private static PublishSpec PatienceOf(YamlMapping root)
    {
        var usual = new PublishSpec();
        var stall = root.Text("stall") is not { } text ? usual.Stall
            : Duration.TryParse(text, out var given) && given > TimeSpan.Zero ? given
            : throw root.Wrong("stall", $"'{text}' isn't a length of time", $"write {Duration.Looks}");
        return usual with { Retries = NumberOf(root, "retries", 0, MostRetries, usual.Retries), Stall = stall };
    }

    private static long? SplitOf(YamlMapping root) => root.Text("split") switch
    {
        null => ContentPlan.UsualSplit,
        NoSplit => null,
        var text => Size.TryParse(text, out var bytes) && bytes >= SmallestSplit ? bytes
            : throw root.Wrong("split", $"'{text}' can't be the size of a part", $"write {NoSplit}, or {Size.Looks}; 1M at least"),
    };

    private static int NumberOf(YamlMapping root, string key, int least, int most, int usual) => root.Text(key) is not { } text ? usual
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number
        : throw root.Wrong(key, $"'{text}' isn't a number from {least} to {most}", $"write one, such as {key}: {usual}");

    private static ImmutableArray<Arch> ArchsOf(YamlMapping keys) =>
    [
        .. keys.Texts("archs").Select(text => Enum.GetValues<Arch>().Cast<Arch?>().FirstOrDefault(arch => arch!.Value.LowerName() == text)
            ?? throw keys.Wrong("archs", $"'{text}' isn't an architecture that Crust knows", $"write {Nearest.Or([.. SchemaParts.Archs()])}")).Distinct().Order(),
    ];

    [GeneratedRegex($@"\A{NamePattern}\z")]
    private static partial Regex NameForm();

    [GeneratedRegex($@"\A{TargetPattern}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex TargetForm();

    [GeneratedRegex($@"\A{HostPattern}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex HostForm();

    [GeneratedRegex($@"\A{MirrorPattern}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex MirrorForm();
}
