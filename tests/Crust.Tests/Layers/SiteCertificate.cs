using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Crust.Tests.Layers;

/// <summary>Certificates of authorities that nobody knows.</summary>
internal static class SiteCertificate
{
    /// <summary>A new one, as PEM.</summary>
    public static string New()
    {
        using var key = ECDsa.Create();
        var request = new CertificateRequest("CN=a site's authority", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return certificate.ExportCertificatePem() + "\n";
    }
}
