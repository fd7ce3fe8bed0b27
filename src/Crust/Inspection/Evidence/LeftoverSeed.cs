using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Disks;

namespace Crust.Inspection.Evidence;

/// <summary>
/// Finds in a seed's keys, which come without their values, the accounts that it makes: in cloud-init's `users`, a list, and in those of Kairos' stages, a
/// mapping by names. Line by line and without a YAML parser: whoever made the disk could make a document that is too deep for one.
/// </summary>
internal static partial class LeftoverSeed
{
    /// <summary>What an account without a name in the seed is called: `ubuntu`, `debian`.</summary>
    internal const string Default = "the default account";

    private const int Deepest = 32;

    private static readonly ImmutableArray<string> Passwords = ["passwd", "hashed_passwd", "plain_text_passwd", "password", "chpasswd"];
    private static readonly ImmutableArray<string> PublicKeys = ["ssh_authorized_keys", "ssh-authorized-keys", "ssh_import_id"];

    /// <summary>The accounts that somebody can log in to, each once.</summary>
    public static ImmutableArray<AccountFacts> Accounts(string keys)
    {
        var accounts = new OrderedDictionary<string, AccountFacts>(StringComparer.Ordinal);
        var path = new List<(int Indent, string Key)>();
        var (item, owner) = (0, Default);
        foreach (var line in PlainText.Lines(keys))
        {
            var match = Key().Match(line);
            if (match.Success)
            {
                var (lead, key) = (match.Groups["lead"].Value, match.Groups["key"].Value.Trim('"'));
                path.RemoveAll(above => above.Indent >= lead.Length);
                if (path.Count < Deepest)
                {
                    path.Add((lead.Length, key));
                }

                // users, - name: …, or: users, edge:, passwd: …
                var users = path.FindLastIndex(above => above.Key == "users");
                var inside = users < 0 ? 0 : path.Count - users - 1;
                item += inside == 1 && lead.Contains('-') ? 1 : 0;
                var who = (users, inside) switch
                {
                    ( < 0, _) when path.Count == 1 => Default,
                    ( >= 0, 1) => $"#{item}",
                    ( >= 0, 2) => PlainText.Clean(path[users + 1].Key),
                    _ => null,
                };
                owner = PublicKeys.Contains(key) ? who ?? "" : owner;
                Change(who, account =>
                    key == "name" && inside == 1 ? account with { Name = PlainText.Clean(match.Groups["value"].Value.Trim().Trim('"', '\'')) }
                    : Passwords.Contains(key) ? account with { Password = "set" }
                    // Perhaps in one line, which doesn't tell how many there are.
                    : PublicKeys.Contains(key) ? account with { Keys = 1 }
                    : account);
            }

            // Each value of the list is one more.
            var list = path.ElementAtOrDefault(path.Count - (match.Success ? 2 : 1)).Key ?? "";
            if (line.TrimStart().StartsWith('-') && PublicKeys.Contains(list))
            {
                Change(owner, account => account with { Keys = account.Keys + 1 });
            }
        }

        return [.. accounts.Values.Select(account => account with { Keys = Math.Max(account.Keys - 1, Math.Min(account.Keys, 1)) }).Where(account => account.HasPassword || account.Keys > 0)];

        void Change(string? who, Func<AccountFacts, AccountFacts> change)
        {
            if (!string.IsNullOrEmpty(who))
            {
                accounts[who] = change(accounts.GetValueOrDefault(who) ?? new AccountFacts(who.StartsWith('#') ? Default : who, "none", 0));
            }
        }
    }

    [GeneratedRegex("""^(?<lead>[ -]*)(?<key>"?[A-Za-z0-9_.-]+"?) *:(?<value>.*)$""")]
    private static partial Regex Key();
}
