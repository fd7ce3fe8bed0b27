using Crust.Disks;

using static Crust.Inspection.Rules.DiskRules;

namespace Crust.Inspection.Rules;

/// <summary>Whether anybody can log in, and whether too many can.</summary>
internal static class AccountRules
{
    public static IEnumerable<DiskFinding> Check(JudgedDisk disk)
    {
        foreach (var (system, facts) in disk.All)
        {
            foreach (var account in facts.Accounts)
            {
                if (account.Password == "empty")
                    yield return Warn("empty-password", $"'{account.Name}' needs no password to log in", At(facts, "/etc/shadow"), "set a password, or lock the account");
                if (account.AccountEnds < disk.Today)
                    yield return Warn("account-expired", $"'{account.Name}' expired on {account.AccountEnds:yyyy-MM-dd}: it can't log in", At(facts, "/etc/shadow"),
                        "let the installer set no end (chage -E -1)");
                else if (account.HasPassword && account.PasswordEnds == DateOnly.FromDayNumber(719162))
                    yield return Note("password-change", $"'{account.Name}' has to change its password at the first login", At(facts, "/etc/shadow"));
                else if (account.HasPassword && account.PasswordEnds < disk.Today)
                    yield return Warn("password-expired", $"The password of '{account.Name}' expired on {account.PasswordEnds:yyyy-MM-dd}", At(facts, "/etc/shadow"),
                        "let the installer set no end (chage -M -1), or a fresh password");
            }

            // Where there is no /etc/passwd, or accounts come from elsewhere, nothing can be said.
            if (facts.Accounts.IsEmpty && facts.FirstBootAccounts.IsEmpty && !system.Accounts.IsEmpty && !system.IsInImage && !disk.IsConfiguredAtBoot)
                yield return Warn("no-login", "Nobody can log in: no account has a password or a public key, and no seed on the disk makes one", At(facts, "/etc/passwd"),
                    "give SSH_USER with SSH_PASSWORD or seed.ssh.authorizedKeys, or give each clone a seed");
        }
    }
}
