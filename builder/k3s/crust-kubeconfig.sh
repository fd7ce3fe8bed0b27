# On an agent there is none.
if [ -z "${KUBECONFIG:-}" ] && [ -r /etc/rancher/k3s/k3s.yaml ]; then
    KUBECONFIG=/etc/rancher/k3s/k3s.yaml
    export KUBECONFIG
fi
