package kube

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// envelope is a list as a server sends it.
func envelope(tb testing.TB, list interface{ Marshal() ([]byte, error) }) []byte {
	tb.Helper()
	raw, err := list.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	whole, err := (&runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "List"}, Raw: raw}).Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return append([]byte("k8s\x00"), whole...)
}

func twoNodes() *corev1.NodeList {
	one := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"node-role.kubernetes.io/master": ""}}}
	one.Spec.ProviderID = "aws:///eu/i-1"
	one.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	one.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "10.0.0.1"}, {Type: corev1.NodeHostName, Address: "a"}}
	one.Status.NodeInfo = corev1.NodeSystemInfo{KubeletVersion: "v1.28.1", OperatingSystem: "linux"}
	one.Status.Images = []corev1.ContainerImage{{Names: []string{strings.Repeat("x", 5000)}, SizeBytes: 1 << 40}}
	return &corev1.NodeList{ListMeta: metav1.ListMeta{Continue: "more"}, Items: []corev1.Node{one, {ObjectMeta: metav1.ObjectMeta{Name: "b"}}}}
}

// names reads a list of nodes and returns their names and where the list goes on.
func names(answer []byte) (out []string, next string, err error) {
	left := 10
	r := &reader{in: bufio.NewReader(bytes.NewReader(answer)), left: &left}
	l := typed("", func(n *corev1.Node) { out = append(out, n.Name) })
	if bytes.HasPrefix(answer, []byte("k8s\x00")) {
		next, err = r.protobuf(l.binary)
	} else {
		next, err = r.json(l.text)
	}
	return out, next, err
}

func TestLists(t *testing.T) {
	whole := envelope(t, twoNodes())
	many := &corev1.NodeList{Items: make([]corev1.Node, 11)}
	field := func(number, kind uint64, content ...byte) []byte {
		return append(binary.AppendUvarint(nil, number<<3|kind), content...)
	}
	for _, tt := range []struct {
		name   string
		answer []byte
		names  []string
		next   string
		fault  string // in the error; "" for none
	}{
		{name: "protobuf", answer: whole, names: []string{"a", "b"}, next: "more"},
		{name: "an empty list", answer: envelope(t, &corev1.NodeList{})},
		{name: "broken off in an object", answer: whole[:len(whole)/2], next: "more", fault: "unexpected EOF"},
		{name: "broken off after the metadata", answer: whole[:len("k8s\x00")+40], next: "more", fault: "unexpected EOF"},
		{name: "only the mark", answer: []byte("k8s\x00"), fault: "has no list"},
		{name: "too many objects", answer: envelope(t, many), names: make([]string, 10), fault: "more than"},
		{name: "a length that lies", answer: append([]byte("k8s\x00"), field(2, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)...), fault: "a field of"},
		{name: "a huge object", answer: append([]byte("k8s\x00"), field(2, 2, append(binary.AppendUvarint(nil, 1<<30), field(2, 2, binary.AppendUvarint(nil, 1<<29)...)...)...)...), fault: "an object of"},
		{name: "a field that lists do not have", answer: append([]byte("k8s\x00"), field(1, 0, 1)...), fault: "a field of kind 0"},
		{name: "an object that is none", answer: append([]byte("k8s\x00"), field(2, 2, append([]byte{3}, field(2, 2, 1, 0xff)...)...)...), fault: "read an object"},
		{name: "JSON", answer: []byte(`{"kind":"NodeList","metadata":{"continue":"more"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}],"other":1}`), names: []string{"a", "b"}, next: "more"},
		{name: "JSON without items", answer: []byte(`{"kind":"NodeList"}`), fault: "has no list"},
		{name: "items null", answer: []byte(`{"items":null}`)},
		{name: "items that are no list", answer: []byte(`{"items":{}}`), fault: "items are no list"},
		{name: "JSON broken off", answer: []byte(`{"items":[{"metadata":{"name":"a"}},{"meta`), names: []string{"a"}, fault: "unexpected EOF"},
		{name: "JSON that ends too early", answer: []byte(`{"items":[]`), fault: "unexpected EOF"},
		{name: "another type", answer: []byte(`{"items":[{"metadata":{"name":1}}]}`), fault: "cannot unmarshal"},
		{name: "a web page", answer: []byte("<html>"), fault: "no JSON object"},
		{name: "a number", answer: []byte("17"), fault: "no JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, next, err := names(tt.answer)
			if d := cmp.Diff(tt.names, got); d != "" {
				t.Errorf("names (-want +got):\n%s", d)
			}
			if next != tt.next {
				t.Errorf("goes on at %q, want %q", next, tt.next)
			}
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("error %v, want %q", err, tt.fault)
			}
		})
	}
}

// A JSON object without end must not be kept as a whole.
func TestEndlessObject(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(`{"items":[{"metadata":{"name":"`), &repeat{})
	left := 10
	r := &reader{in: bufio.NewReader(endless), left: &left}
	_, err := r.json(typed("", func(*corev1.Node) {}).text)
	if err == nil || !strings.Contains(err.Error(), "an object of more than") {
		t.Errorf("error %v", err)
	}
}

type repeat struct{}

func (*repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// What is read of a node without its images is what the library reads of it.
func TestSlimNode(t *testing.T) {
	for i, whole := range twoNodes().Items {
		raw, err := whole.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		slim, err := slimNode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(node(&whole), node(slim)); d != "" {
			t.Errorf("node %d (-library +slim):\n%s", i, d)
		}
		if len(slim.Status.Images) > 0 {
			t.Error("the images are still there")
		}
	}
	want := "aws 10.0.0.1 true true"
	n := node(&twoNodes().Items[0])
	if got := fmt.Sprint(n.Provider, " ", n.Addresses[0], " ", n.ControlPlane, n.Ready); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzSlimNode: what the library can read can be read slim, with the same result, and nothing else crashes.
func FuzzSlimNode(f *testing.F) {
	for _, n := range twoNodes().Items {
		raw, err := n.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var whole corev1.Node
		if whole.Unmarshal(raw) != nil {
			_, _ = slimNode(raw) // it may see less of what is wrong
			return
		}
		slim, err := slimNode(raw)
		if err != nil {
			t.Fatalf("the library reads it, slim does not: %v", err)
		}
		if d := cmp.Diff(node(&whole), node(slim)); d != "" {
			t.Errorf("(-library +slim):\n%s", d)
		}
	})
}

// FuzzList: no answer crashes the reader, makes it keep more than it got, or makes it lose count.
func FuzzList(f *testing.F) {
	f.Add(envelope(f, twoNodes()))
	f.Add([]byte(`{"metadata":{"continue":"x"},"items":[{"metadata":{"name":"a"}}]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		got, _, _ := names(answer)
		if len(got) > 10 {
			t.Errorf("%d objects of at most 10", len(got))
		}
	})
}

func TestFamily(t *testing.T) {
	long := strings.Repeat("y", 200<<10)
	for _, tt := range []struct{ name, in, want, fault string }{
		{"others are dropped", "# TYPE a counter\na 1\n# TYPE wanted gauge\nwanted{x=\"1\"} 1\nwanted_more 2\n", "# TYPE wanted gauge\nwanted{x=\"1\"} 1\n", ""},
		{"a long line before", "# TYPE a counter\na{b=\"" + long + "\"} 1\nwanted{x=\"1\"} 1", "wanted{x=\"1\"} 1\n", ""},
		{"none of it", "# TYPE a counter\na 1\n", "", ""},
		{"no metrics", "<html>", "", "no metrics"},
		{"nothing", "", "", "no metrics"},
		{"too much", "# TYPE wanted gauge\n" + strings.Repeat("wanted{x=\"1\"} 1\n", 100_000), "", "more than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := family(strings.NewReader(tt.in), "wanted")
			if string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("error %v, want %q", err, tt.fault)
			}
		})
	}
}

func TestImages(t *testing.T) {
	for _, tt := range []struct {
		image, name, version string
		known                bool
	}{
		{"registry.k8s.io/kube-proxy:v1.28.1", "kube-proxy", "v1.28.1", true},
		{"registry.k8s.io/kube-proxy:v1.28.15_lts.1", "kube-proxy", "v1.28.15+lts.1", true},
		{"gcr.io/google_containers/kube-apiserver-amd64:v1.9.3", "kube-apiserver", "v1.9.3", true},
		{"602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.28.1-minimal-eksbuild.1", "kube-proxy", "v1.28.1-minimal-eksbuild.1", true},
		{"registry.k8s.io/ingress-nginx/controller:v1.9.4@sha256:00", "ingress-nginx", "v1.9.4", true},
		{"quay.io/kubernetes-ingress-controller/nginx-ingress-controller:0.33.0", "ingress-nginx", "0.33.0", true},
		{"registry.k8s.io/ingress-nginx/controller:controller-v1.9.4", "ingress-nginx", "v1.9.4", true},
		{"registry.k8s.io/etcd:3.5.9-0", "etcd", "3.5.9-0", true},
		{"localhost:5000/etcd", "etcd", "", true},
		{"registry.k8s.io/kube-proxy@sha256:00", "kube-proxy", "", true},
		{"registry.k8s.io/sig-storage/nfsplugin:v4.1.0", "csi-driver-nfs", "v4.1.0", true},
		{"registry.k8s.io/csi-secrets-store/driver:v1.3.0", "secrets-store-csi-driver", "v1.3.0", true},
		{"example.com/controller:v1", "controller", "", false},
		{"example.com/shop:latest", "shop", "", false},
		{"", "", "", false},
	} {
		name, known := component(tt.image)
		if version := imageVersion(tt.image); name != tt.name || known != tt.known || version != tt.version {
			t.Errorf("%s: %s %v %q; want %s %v %q", tt.image, name, known, version, tt.name, tt.known, tt.version)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		name, component string
		command, args   []string
		want            map[string]string
	}{
		{"one word each", "kube-apiserver", []string{"kube-apiserver", "--anonymous-auth=false", "--v", "4", "--profiling"}, nil, map[string]string{"anonymous-auth": "false", "v": "4", "profiling": "true"}},
		{"a shell", "kube-apiserver", []string{"/bin/sh", "-c"}, []string{"exec /usr/local/bin/kube-apiserver --secure-port=443 \\\n --v=2 1>>/var/log/x 2>&1"}, map[string]string{"secure-port": "443", "v": "2"}},
		{"secrets are left out", "kube-apiserver", []string{"--oidc-client-secret=a", "--service-account-signing-key-file=b", "--etcd-servers=https://u:p@h:1,https://h2:1"}, nil, map[string]string{"etcd-servers": "https://h:1,https://h2:1"}},
		{"an address that cannot be read", "kube-apiserver", []string{"--etcd-servers=https://u:p@h:1:1\x7f"}, nil, map[string]string{"etcd-servers": "(an address with a secret)"}},
		{"nothing that is kept", "kube-scheduler", []string{"kube-scheduler", "--token=x"}, nil, nil},
		{"old spellings", "kube-apiserver", []string{"--admission_control=A,B", "-v10", "--vmodule=httplog=9"}, nil, map[string]string{"admission-control": "A,B", "v": "10", "vmodule": "httplog=9"}},
		{"a list in two parts", "kube-apiserver", []string{"--enable-admission-plugins=A", "--enable-admission-plugins=B", "--v=1", "--v=2"}, nil, map[string]string{"enable-admission-plugins": "A,B", "v": "2"}},
		{"more in the environment", "kube-apiserver", []string{"sh", "-c", "exec kube-apiserver --v=2 $KUBE_API_ARGS"}, nil, nil},
		{"longer than is read", "kube-apiserver", append([]string{"kube-apiserver", "--v=2"}, make([]string, 500)...), nil, nil},
		{"two dashes or one", "etcd", []string{"etcd", "-client-cert-auth"}, nil, map[string]string{"client-cert-auth": "true"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, flags(tt.component, tt.command, tt.args)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
