using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Crust.Seeds.Secrets;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>Looks into the files that a seed is made of for what is secret.</summary>
internal static class RideAlong
{
    // A file of this size is a program or an archive. Private keys and settings that are longer are none that anybody writes.
    private const int MostText = 1 << 20;

    /// <summary>What the file of a kind of seed is called where its reader finds it.</summary>
    public static string NameOf(SeedKind kind) => kind switch
    {
        SeedKind.Kickstart => "ks.cfg",
        SeedKind.Preseed => "preseed.cfg",
        SeedKind.Ignition => "config.ign",
        _ => "user-data",
    };

    /// <summary>A file that was read as text, with what is secret in it.</summary>
    /// <param name="name">What it is called where it goes.</param>
    public static SeedFile Named(SeedFile file, string name, string text)
    {
        var found = FileSecrets.In(name, text);
        return found.IsEmpty ? file : file with
        {
            SecretNames = [.. found.Select(one => IsPath(one.Name) ? one.Name : $"{one.Name} (line {text.AsSpan(0, one.Start).Count('\n') + 1})").Distinct()],
            Secrets = [.. SeedSecrets.Spread(found.SelectMany(one => one.ValuesIn(text))).Distinct()],
            Keyed = Sha256Of(FoundSecret.Replace(text, found, SeedSecrets.Mask)),
        };
    }

    /// <summary>A file that rides along. Of one that isn't text, or is large, what it is called and private keys in its beginning tell.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    public static SeedFile Read(ExtraFile extra, Stream content)
    {
        var start = new byte[MostText + 1];
        var length = content.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        content.Position = 0;
        var file = new SeedFile($"files/{extra.Name}", extra.Path, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
        var text = Encodings.AsText(start[..length]);
        // What it is called here says as much as what it is called there.
        var named = text is null || length > MostText ? file : new[] { extra.Name, extra.Path }.Select(name => Named(file, name, text)).MaxBy(one => one.SecretNames.Length)!;
        if (!named.SecretNames.IsEmpty)
            return named;
        var isKey = FileSecrets.IsSecretBinary(extra.Name) || FileSecrets.IsSecretBinary(extra.Path);
        return isKey || (length > MostText || text is null) && start.AsSpan(0, length).IndexOf("PRIVATE KEY-----"u8) >= 0
            ? file with { SecretNames = [isKey ? "a key store" : "a private key"], Keyed = "secret" }
            : file;
    }

    /// <summary>Whether a file, or one in a folder, has a secret; one that can't be read may.</summary>
    public static bool HasSecrets(string path)
    {
        try
        {
            return (Directory.Exists(path) ? Directory.GetFiles(path) : [path]).Any(file =>
            {
                using var content = File.OpenRead(file);
                return !Read(new ExtraFile(Path.GetFileName(file), file), content).SecretNames.IsEmpty;
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    // The path of a key stands for itself: users[0].passwd.
    private static bool IsPath(string name) => name.AsSpan().IndexOfAny('.', '[') > 0;

    private static string Sha256Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
