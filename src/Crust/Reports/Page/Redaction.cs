using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Reports.Page;

/// <summary>Takes a spec's secrets out of texts. Guests may print them; a report, which people pass on, must not.</summary>
internal sealed class Redaction
{
    private const string Mask = "•••";

    // A secret of one or two characters can't be told from chance, and would tear holes into every word.
    private const int Shortest = 3;

    private readonly ImmutableArray<string> _secrets;

    public Redaction(IEnumerable<string?> secrets) =>
        // The longest first: one secret may be a part of another.
        _secrets = [.. secrets.OfType<string>().Where(secret => secret.Length >= Shortest).Distinct().OrderByDescending(secret => secret.Length)];

    /// <summary>Of all that a spec says and nobody should see, also the login in an ISO's URL.</summary>
    public static Redaction Of(BuildSpec spec) => new(
    [
        spec.Seed.Ssh.Password?.Reveal(),
        spec.Seed.Palette.EdgeHostToken?.Reveal(),
        .. LoginsIn(spec.Installer.Iso),
        .. LoginsIn(spec.Installer.Sha256),
    ]);

    public string Apply(string text) => _secrets.Aggregate(text, (clean, secret) => clean.Replace(secret, Mask, StringComparison.Ordinal));

    private static IEnumerable<string?> LoginsIn(string? address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url))
        {
            return [];
        }

        var password = url.UserInfo.Split(':', 2).ElementAtOrDefault(1);
        return [url.UserInfo, password, password is null ? null : Uri.UnescapeDataString(password), url.Query];
    }
}
