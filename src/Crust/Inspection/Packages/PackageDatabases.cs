using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Disks;
using Crust.Inspection.Evidence;

namespace Crust.Inspection.Packages;

/// <summary>
/// The packages of a system, from what the appliance has told of the databases of dpkg, apk and rpm: lines of those fields that are asked for, compressed. Whoever
/// made the disk could have written them, so what isn't a package's name or version is none.
/// </summary>
internal static partial class PackageDatabases
{
    // A desktop has some 3,000. Whoever has more, or a text of more bytes, wants to fill the memory.
    private const int MostPackages = 50_000;
    private const int MostBytes = 32 << 20;

    private static readonly ImmutableArray<(string Kind, Func<string, IEnumerable<PackageFacts?>> Parse)> Databases = [("dpkg", Dpkg), ("apk", Apk), ("rpm", Rpm)];

    /// <summary>The packages of a system; null if it has no database that could be read.</summary>
    /// <param name="at">The system's place.</param>
    public static ImmutableArray<PackageFacts>? Read(DiskEvidence evidence, string at)
    {
        var told = Databases.Where(database => evidence.Places(database.Kind).Contains(at)).ToList();
        return told.Count == 0 ? null
            : PackageFacts.Sorted(told.SelectMany(database => database.Parse(Unpack(evidence.AllBytes(database.Kind, at)))).OfType<PackageFacts>().Where(IsPlausible).Take(MostPackages));
    }

    /// <summary>The text of what was compressed; cut where it is too long, empty where it isn't whole.</summary>
    internal static string Unpack(byte[] packed)
    {
        try
        {
            using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
            var text = new MemoryStream();
            var buffer = new byte[1 << 16];
            for (int read; text.Length < MostBytes && (read = gzip.Read(buffer)) > 0;)
            {
                text.Write(buffer, 0, read);
            }

            return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
        }
        catch (InvalidDataException)
        {
            return "";
        }
    }

    // "Source: name (version)" where the source's version is another. Files of status.d, which distroless systems have, have no status.
    private static IEnumerable<PackageFacts?> Dpkg(string text) =>
        from fields in Stanzas(text, ": ")
        where fields.GetValueOrDefault("Status", "install ok installed").EndsWith(" installed", StringComparison.Ordinal)
        select new PackageFacts("deb", fields.GetValueOrDefault("Package", ""), fields.GetValueOrDefault("Version", ""), fields.GetValueOrDefault("Architecture", ""),
            fields.GetValueOrDefault("Source", "").Split(' ')[0]);

    // P: name, V: version, A: architecture, o: origin (apk-tools' installed database).
    private static IEnumerable<PackageFacts?> Apk(string text) =>
        from fields in Stanzas(text, ":")
        let name = fields.GetValueOrDefault("P", "")
        let origin = fields.GetValueOrDefault("o", "")
        select new PackageFacts("apk", name, fields.GetValueOrDefault("V", ""), fields.GetValueOrDefault("A", ""), origin == name ? "" : origin);

    // Name, epoch, version, release, architecture and source package, with tabs, as rpm was asked to print them. Keys of signers are no packages.
    private static IEnumerable<PackageFacts?> Rpm(string text) =>
        from line in PlainText.Lines(text)
        let fields = line.Split('\t')
        select fields is [var name, var epoch, var version, var release, var arch, var source] && name != "gpg-pubkey"
            ? new PackageFacts("rpm", name, $"{version}-{release}", Given(arch), Given(source), Given(epoch) is "0" ? "" : Given(epoch))
            : null;

    private static string Given(string value) => value == "(none)" ? "" : value;

    private static IEnumerable<Dictionary<string, string>> Stanzas(string text, string separator)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n').Append(""))
        {
            if (line.Length == 0)
            {
                if (fields.Count > 0)
                {
                    yield return fields;
                    fields = new(StringComparer.Ordinal);
                }
            }
            else if (line.Split(separator, 2) is [var key, var value])
            {
                fields[key] = value.Trim();
            }
        }
    }

    private static bool IsPlausible(PackageFacts package) => Name().IsMatch(package.Name) && Version().IsMatch(package.Version)
        && Word().IsMatch(package.Arch) && Word().IsMatch(package.Epoch) && (package.Source.Length == 0 || SourceName().IsMatch(package.Source));

    // What the three allow in names; rpm's may hold more, as in "perl(strict)", which are no packages' names.
    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9+._~-]{0,199}\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9+._~^:-]{0,199}\z")]
    private static partial Regex Version();

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{0,40}\z")]
    private static partial Regex Word();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9+._~^:-]{0,299}\z")]
    private static partial Regex SourceName();
}
