package manifests

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// cluster is what the manifest creates.
type cluster struct {
	deployment apps.Deployment
	service    core.Service
	budget     policy.PodDisruptionBudget
	scaler     autoscaling.HorizontalPodAutoscaler
	policy     networking.NetworkPolicy
}

// read decodes each document strictly: a field that the type does not have is an error.
func read(t *testing.T) *cluster {
	t.Helper()
	text, err := os.ReadFile("../../examples/deploy/kubernetes/jotgate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{}
	kinds := map[string]any{
		"apps/v1 Deployment": &c.deployment, "v1 Service": &c.service, "policy/v1 PodDisruptionBudget": &c.budget,
		"autoscaling/v2 HorizontalPodAutoscaler": &c.scaler, "networking.k8s.io/v1 NetworkPolicy": &c.policy,
	}
	for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
		var of meta.TypeMeta
		if err := yaml.Unmarshal(document, &of); err != nil {
			t.Fatal(err)
		}
		kind := of.APIVersion + " " + of.Kind
		into, found := kinds[kind]
		if !found {
			t.Fatalf("another kind, or a second one: %s", kind)
		}
		if err := yaml.UnmarshalStrict(document, into); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		delete(kinds, kind)
	}
	if len(kinds) > 0 {
		t.Fatalf("missing: %v", slices.Collect(maps.Keys(kinds)))
	}
	return c
}

// The objects are valid, refer to each other, and give a pod no right that it does not need.
func TestKubernetes(t *testing.T) {
	c := read(t)
	template := c.deployment.Spec.Template
	labels := template.Labels
	for name, selector := range map[string]map[string]string{
		"Deployment": c.deployment.Spec.Selector.MatchLabels, "Service": c.service.Spec.Selector,
		"PodDisruptionBudget": c.budget.Spec.Selector.MatchLabels, "NetworkPolicy": c.policy.Spec.PodSelector.MatchLabels,
		"spread": template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels,
	} {
		if !maps.Equal(selector, labels) {
			t.Errorf("%s selects %v, the pods have %v", name, selector, labels)
		}
	}
	if to := c.scaler.Spec.ScaleTargetRef; to.Name != c.deployment.Name || to.Kind != "Deployment" || to.APIVersion != "apps/v1" {
		t.Errorf("the autoscaler scales %+v", to)
	}
	if least := *c.scaler.Spec.MinReplicas; least != *c.deployment.Spec.Replicas || least <= int32(c.budget.Spec.MinAvailable.IntValue()) {
		t.Errorf("%d nodes, of which the budget keeps %v", least, c.budget.Spec.MinAvailable)
	}
	main := template.Spec.Containers[0]
	ports := map[string]bool{}
	for _, p := range main.Ports {
		ports[p.Name] = true
	}
	for _, port := range []string{
		c.service.Spec.Ports[0].TargetPort.StrVal, main.StartupProbe.HTTPGet.Port.StrVal, main.LivenessProbe.HTTPGet.Port.StrVal,
		main.ReadinessProbe.HTTPGet.Port.StrVal, c.policy.Spec.Ingress[0].Ports[0].Port.StrVal, c.policy.Spec.Ingress[1].Ports[0].Port.StrVal,
	} {
		if !ports[port] {
			t.Errorf("the container has no port %q", port)
		}
	}
	pod, own := template.Spec.SecurityContext, main.SecurityContext
	if !*pod.RunAsNonRoot || *pod.RunAsUser == 0 || pod.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault || *own.AllowPrivilegeEscalation ||
		!*own.ReadOnlyRootFilesystem || !slices.Equal(own.Capabilities.Drop, []core.Capability{"ALL"}) || *template.Spec.AutomountServiceAccountToken {
		t.Error("not the restricted profile of the Pod Security Standards")
	}
	if main.LivenessProbe.HTTPGet.Path == main.ReadinessProbe.HTTPGet.Path {
		t.Error("an unreachable database would restart the nodes")
	}
}

// jotgate starts with what the Deployment gives it, and responds to its probes and on the port of its metrics, which have
// the one that the autoscaler reads.
func TestKubernetesStarts(t *testing.T) {
	c := read(t)
	main := c.deployment.Spec.Template.Spec.Containers[0]
	env := map[string]string{}
	for _, e := range main.Env {
		env[e.Name] = e.Value
		if from := e.ValueFrom; from != nil && from.SecretKeyRef.Key == "database" {
			env[e.Name] = "postgres://jotgate:password@db.example.com/jotgate"
		}
	}
	known(t, env)
	if mount := main.VolumeMounts[0].MountPath + "/" + c.deployment.Spec.Template.Spec.Volumes[0].Secret.Items[0].Path; env["JOTGATE_SECRET_KEY_FILE"] != mount {
		t.Errorf("the secret is mounted at %s", mount)
	}
	at := (&container{main.Args, env}).start(t)
	for _, p := range main.Ports {
		if at[p.Name] = at[portText(p.ContainerPort)]; at[p.Name] == "" {
			t.Fatalf("nothing listens on the port %s, %d", p.Name, p.ContainerPort)
		}
	}
	for _, p := range []*core.Probe{main.StartupProbe, main.LivenessProbe, main.ReadinessProbe} {
		probe(t, at[p.HTTPGet.Port.StrVal], p.HTTPGet.Path)
	}
	if metric := c.scaler.Spec.Metrics[0].Pods.Metric.Name; !bytes.Contains(get(t, "http://"+at["metrics"]+"/metrics"), []byte("\n"+metric+" ")) {
		t.Errorf("there is no metric %s", metric)
	}
}
