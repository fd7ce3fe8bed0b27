using Crust.Tools;

namespace Crust.Host;

/// <summary>Whether the libraries that Crust calls are there, or what is done without them.</summary>
internal sealed class LibrariesCheck(Func<HostLibrary, bool> isThere) : IHostCheck
{
    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation)
    {
        var users = question.Forecast.ToWrite
            .SelectMany(format => format.NeedsOf(question.Spec).Libraries.Select(library => (library, User: format.Name)))
            .Concat(question.Spec.Seed.Ssh.Password is null ? [] : [(HostLibrary.Crypt, User: "SSH_PASSWORD")])
            .ToLookup(pair => pair.Item1, pair => pair.User);
        return Task.FromResult<IReadOnlyList<Finding>>([.. HostLibrary.All
            .Where(library => question.Thoroughly || users.Contains(library))
            .Select(library => Find(library, [.. users[library]]))]);
    }

    private Finding Find(HostLibrary library, string[] users)
    {
        var uses = users.Length == 0 ? "this build doesn't need it" : string.Join(", ", users);
        if (isThere(library))
        {
            return new Finding("libraries", library.Name, Gravity.Fine, uses) { Where = library.File };
        }

        var gravity = users.Length == 0 ? Gravity.Note : library.Fallback is null ? Gravity.Problem : Gravity.Warning;
        return Finding.Missing("libraries", library.Name, gravity,
            $"The library {library.Name} isn't installed ({uses}){(library.Fallback is null ? "" : $": {library.Fallback}")}", library.File, library.Package);
    }
}
