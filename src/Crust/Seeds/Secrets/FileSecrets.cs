using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Secrets;

/// <summary>
/// The one place that says what of a file is secret, by its name and by what it holds: documents of a seed, files that ride along, files that documents write.
/// </summary>
internal static partial class FileSecrets
{
    private const int LongestName = 4096;

    // Private keys, key stores, and what systemd decrypts: nothing of them is for anybody.
    private static readonly ImmutableArray<string> SecretExtensions = [".p12", ".pfx", ".jks", ".keystore", ".keytab", ".kdbx", ".cred", ".ppk"];

    /// <param name="name">The file's name or path; empty if it isn't known.</param>
    public static ImmutableArray<FoundSecret> In(string name, string text)
    {
        var file = name[(name.LastIndexOf('/') + 1)..].ToLowerInvariant();
        if (file is ".pgpass" or "pgpass" or "pgpass.conf")
            return FoundSecret.Joined([.. TextSecrets.In(text), .. PgPass().Matches(text).Select(match => new FoundSecret(match.Groups["value"].Index, match.Groups["value"].Length, "a password"))]);
        if (IsSecretWhole(name, file, text))
            return text.Length == 0 ? [] : [new FoundSecret(0, text.Length, "all of it") { Forms = [text.Trim()] }];
        if (file is "ks.cfg" || file.EndsWith(".ks", StringComparison.Ordinal) || file.EndsWith(".kickstart", StringComparison.Ordinal))
            return KickstartSecrets.In(text);
        if (file is "preseed.cfg" || file.EndsWith(".preseed", StringComparison.Ordinal) || file.EndsWith(".seed", StringComparison.Ordinal))
            return PreseedSecrets.In(text);
        if (file is "netrc" or ".netrc" or "_netrc" or "auth.conf")
            return FoundSecret.Joined([.. TextSecrets.In(text),
                .. NetrcWord().Matches(text).Select(match => new FoundSecret(match.Groups["value"].Index, match.Groups["value"].Length, "a password"))]);
        return InDocuments(file, text) is { } found ? FoundSecret.Joined([.. found, .. TextSecrets.ByForm(text)]) : TextSecrets.In(text);
    }

    /// <summary>Whether a file that isn't text is secret as a whole.</summary>
    public static bool IsSecretBinary(string name) => SecretExtensions.Contains(Path.GetExtension(name).ToLowerInvariant()) || InCredentialStore(name);

    private static bool IsSecretWhole(string name, string file, string text) => IsSecretBinary(name)
        || (text.Length <= LongestName && text.Trim() is { Length: > 0 } content && !content.Contains('\n') && !content.Contains(' ') && !content.Contains('=')
            && !content.Contains("://", StringComparison.Ordinal)
            && file.Length > 0 && (SecretNames.IsSecret(Path.GetFileNameWithoutExtension(file).TrimStart('.')) || SecretNames.IsSecret(file.TrimStart('.')))
                && !SecretNames.IsHarmless("password", content));

    private static bool InCredentialStore(string name) =>
        name.Contains("/credstore/", StringComparison.Ordinal) || name.Contains("/credstore.encrypted/", StringComparison.Ordinal) || name.StartsWith("credstore/", StringComparison.Ordinal);

    // JSON and YAML, of which a file may have several documents. Null for what is neither, or can't be read.
    private static List<FoundSecret>? InDocuments(string file, string text)
    {
        var start = text.AsSpan().TrimStart();
        if (start.Length == 0)
            return null;
        if (start[0] is '{' or '[' && JsonTree.TryRead(text, file) is { } json)
            return [.. Spans(text, json)];
        if (start[0] is not ('{' or '[') && !IsYaml(file, text))
            return null;

        var found = new List<FoundSecret>();
        var at = 0;
        foreach (var part in Separator().Split(text))
        {
            try
            {
                if (ConfigReader.Read(part, file) is { } root)
                    found.AddRange(Spans(part, root).Select(secret => secret with { Start = secret.Start + at }));
            }
            catch (CrustException)
            {
                return null;
            }

            at = Separator().Match(text, at + part.Length) is { Success: true } next ? next.Index + next.Length : text.Length;
        }

        return found;
    }

    private static bool IsYaml(string file, string text) =>
        file.EndsWith(".yaml", StringComparison.Ordinal) || file.EndsWith(".yml", StringComparison.Ordinal) || file.EndsWith("kubeconfig", StringComparison.Ordinal)
        || file is "user-data" or "network-config" or "meta-data" or "vendor-data" || text.StartsWith("#cloud-config", StringComparison.Ordinal) || YamlSign().IsMatch(text);

    private static IEnumerable<FoundSecret> Spans(string text, ConfigNode root)
    {
        var secrets = TreeSecrets.In(root);
        if (secrets.IsEmpty)
            yield break;
        var raw = new RawValues(text);
        foreach (var secret in secrets)
        {
            var (start, end) = raw.Of(secret.Node);
            foreach (var part in secret.Parts)
            {
                var value = secret.Node.Value.Substring(part.Start, part.Length);
                // A part is masked where it stands as it is; behind escapes and line breaks, the whole value is.
                var within = secret.IsWhole ? -1 : text.IndexOf(value, start, end - start, StringComparison.Ordinal);
                yield return within >= 0
                    ? new FoundSecret(within, value.Length, secret.Path) { Forms = part.Forms }
                    : new FoundSecret(start, end - start, secret.Path) { Forms = [value, .. part.Forms] };
            }
        }
    }

    [GeneratedRegex(@"^(?!#)(?:(?:[^:\\\n]|\\.)*:){4}(?<value>[^\n\r]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex PgPass();

    [GeneratedRegex(@"\b(?:password|passwd)\s+(?<value>\S+)", RegexOptions.ExplicitCapture)]
    private static partial Regex NetrcWord();

    [GeneratedRegex(@"^---(?:[ \t][^\n]*)?\r?$\n?", RegexOptions.Multiline)]
    private static partial Regex Separator();

    [GeneratedRegex(@"^(?:apiVersion|kind|version|autoinstall|stages|network):", RegexOptions.Multiline)]
    private static partial Regex YamlSign();
}
