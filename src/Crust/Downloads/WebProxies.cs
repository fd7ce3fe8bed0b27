using System.Net;
using Crust.Spec;

namespace Crust.Downloads;

/// <summary>The environment's proxies, for .NET's client.</summary>
internal sealed class WebProxies(ProxySettings settings) : IWebProxy, ICredentials
{
    /// <inheritdoc/>
    public ICredentials? Credentials
    {
        get => this;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => settings.For(destination)?.Address;

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => settings.For(host) is null;

    // Asked for by the proxy's own URL. Two proxies of one address have one login.
    NetworkCredential? ICredentials.GetCredential(Uri uri, string authType) => settings.LoginOf(uri);
}
