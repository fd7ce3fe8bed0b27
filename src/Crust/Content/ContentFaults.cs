using Crust.Registries;

namespace Crust.Content;

/// <summary>What registries say, with the keys of a bundle's file in what is to do about it.</summary>
internal static class ContentFaults
{
    /// <summary>The error at an entry of the file.</summary>
    public static RegistryException At(RegistryException error, string where) => new(error.Fault, error.What, $"{where}: {error.Where}", error.Fault switch
    {
        RegistryFault.Login => "log in with skopeo login, or name the file with the login as authFile: of an entry of registries:",
        RegistryFault.Denied => "log in with an account that may pull it, or name the file with its login as authFile: of an entry of registries:",
        RegistryFault.Untrusted => "put its authority's certificate into a folder as ca.crt, and name the folder as certDir: of an entry of registries:",
        RegistryFault.Plain => "if that is as it should be, write tls: false into an entry of registries:",
        RegistryFault.Missing => "check the name, the tag or the digest, and that the image was pushed",
        RegistryFault.Busy or RegistryFault.Broken or RegistryFault.Unreachable or RegistryFault.Stalled => "try again later: what was pulled so far is in the cache, and isn't pulled again",
        _ => error.Remedy,
    });
}
