using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using Crust.Spec;
using YamlDotNet.Core;

namespace Crust.Seeds;

/// <summary>
/// Knows what of a seed nobody may see: what came from a <see cref="Secret"/> or the environment, what stands under a key that readers know to be secret, and
/// whatever looks like a password's hash.
/// </summary>
internal static partial class SeedSecrets
{
    private const string Mask = "********";

    // Keys of cloud-init, Kairos, stylus and autoinstall whose values let somebody in, or let the host in somewhere.
    private static readonly ImmutableHashSet<string> SecretKeys =
    [
        "passwd", "hashed_passwd", "plain_text_passwd", "password", "hashed-password", "plain-text-password", "edgeHostToken", "token", "cluster-token", "agent-token",
        "httpProxy", "httpsProxy", "http_proxy", "https_proxy", "privateKey", "private_key", "validation_key", "network_token", "auth-token", "secret", "secretKey",
        "rsa_private", "ecdsa_private", "ed25519_private", "dsa_private",
    ];

    /// <summary>A document as others may see it.</summary>
    public static string Masked(SeedDocument document, SeedSpec spec) => document.Tree is ConfigMap tree && CloudConfig.IsIn(document.Text)
        ? CloudConfig.ToText((ConfigMap)Masked(tree))
        : MaskedText(document.Text, spec);

    /// <summary>A tree as others may see it.</summary>
    public static ConfigNode Masked(ConfigNode node, bool isSecret = false) => node switch
    {
        ConfigMap map => map.With([.. map.Entries.Select(entry => entry with { Value = Masked(entry.Value, isSecret || IsSecret(entry)) })]),
        ConfigList list => list.With([.. list.Items.Select(item => Masked(item, isSecret))]),
        ConfigScalar scalar when !scalar.IsNull && (isSecret || scalar.IsSecret || CryptHash().IsMatch(scalar.Value)) =>
            new ConfigScalar(Mask, ScalarStyle.DoubleQuoted, scalar.Place) { IsSecret = true },
        _ => node,
    };

    /// <summary>The paths of what a document holds that nobody may see: `stylus.site.edgeHostToken`. Each once.</summary>
    public static IEnumerable<string> PathsIn(SeedDocument document, SeedSpec spec) => document.Tree is { } tree
        ? ConfigTree.Leaves(Masked(tree)).Where(leaf => leaf.Value is ConfigScalar { IsSecret: true }).Select(leaf => leaf.Path).Distinct()
        : MaskedText(document.Text, spec) == document.Text ? [] : [document.Name];

    /// <summary>The secrets in a document; of one that isn't a tree, those that Crust put there.</summary>
    public static IEnumerable<string> In(SeedDocument document) => document.Tree is null ? document.Secrets :
        ConfigTree.Leaves(document.Tree).Zip(ConfigTree.Leaves(Masked(document.Tree)))
            .Where(pair => pair.Second.Value is ConfigScalar { IsSecret: true })
            .Select(pair => ((ConfigScalar)pair.First.Value).Value);

    private static bool IsSecret(ConfigEntry entry) => entry.Name is { } name && SecretKeys.Contains(name);

    private static string MaskedText(string text, SeedSpec spec)
    {
        IEnumerable<string> known =
        [
            .. new[] { spec.Palette.EdgeHostToken, spec.Palette.HttpProxy, spec.Palette.HttpsProxy, spec.Ssh.Password, spec.Ssh.PasswordHash }.OfType<Secret>().Select(secret => secret.Reveal()),
        ];
        var masked = known.Aggregate(text, (result, secret) => result.Replace(secret, Mask, StringComparison.Ordinal));
        return PasswordLine().Replace(CryptHash().Replace(masked, Mask), match => match.Groups["before"].Value + Mask);
    }

    // crypt(5): $id$…
    [GeneratedRegex(@"\$(?:1|2[abxy]?|5|6|7|y|gy|sha1|md5)\$[A-Za-z0-9./$=,]{8,}")]
    private static partial Regex CryptHash();

    // kickstart's rootpw and --password=, preseed's passwd/…-password.
    [GeneratedRegex(@"(?<before>^\s*rootpw\s+(?:--\S+\s+)*(?!--)|--(?:password|passphrase)[= ]|passwd/\S*password\S*\s+(?:password|string)\s+)\S+", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex PasswordLine();
}
