//! Bills as syft, trivy and cdxgen shape them, and barge's own read back.

use super::*;

const SYFT: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"container","name":"img","version":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
"components":[
 {"bom-ref":"os","type":"operating-system","name":"debian","version":"12","properties":[{"name":"syft:distro:id","value":"debian"},{"name":"syft:distro:versionID","value":"12"}]},
 {"bom-ref":"a","type":"library","name":"libc6","version":"2.36-9","purl":"pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc","properties":[{"name":"syft:location:0:path","value":"/var/lib/dpkg/status"}]},
 {"bom-ref":"b","type":"library","name":"@babel/core","version":"7.0.0","purl":"pkg:npm/%40babel/core@7.0.0","licenses":[{"license":{"id":"MIT"}}]},
 {"bom-ref":"f","type":"file","name":"/x"},
 {"bom-ref":"c","type":"library","group":"org.a","name":"b","version":"1","purl":"pkg:maven/org.a/b@1","components":[{"type":"library","name":"Inner","version":"2","purl":"pkg:pypi/inner@2"}]},
 {"bom-ref":"d","type":"library","name":"nothing"}],
"dependencies":[{"ref":"b","dependsOn":["c","zzz"]}]}"#;

#[test]
fn reads_what_syft_writes() {
    let sbom = read(SYFT.as_bytes()).unwrap();
    assert_eq!(
        sbom.distro.as_ref().unwrap().version_id.as_deref(),
        Some("12")
    );
    let names: Vec<_> = sbom
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(names, ["libc6", "org.a:b", "@babel/core", "Inner"]);
    let libc = &sbom.packages[0];
    assert_eq!(libc.source.as_ref().unwrap().name, "glibc");
    assert_eq!(libc.evidence[0].path, "var/lib/dpkg/status");
    assert_eq!(sbom.packages[2].depends_on, ["pkg:maven/org.a/b@1"]);
    assert!(sbom.subject.manifest.is_some());
}

#[test]
fn reads_what_trivy_writes() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
 {"type":"operating-system","name":"rocky","version":"9.3"},
 {"type":"library","name":"bind","version":"32:9.16-1.el9","purl":"pkg:rpm/rocky/bind@9.16-1.el9?arch=x86_64&epoch=32",
  "properties":[{"name":"aquasecurity:trivy:SrcName","value":"bind"},{"name":"aquasecurity:trivy:SrcVersion","value":"9.16"},
   {"name":"aquasecurity:trivy:SrcRelease","value":"1.el9"},{"name":"aquasecurity:trivy:SrcEpoch","value":"32"}]}]}"#;
    let sbom = read(text.as_bytes()).unwrap();
    assert_eq!(sbom.distro.unwrap().id, "rocky");
    assert_eq!(sbom.packages[0].version, "32:9.16-1.el9");
    assert_eq!(
        sbom.packages[0].source.as_ref().unwrap().version,
        "32:9.16-1.el9"
    );
}

#[test]
fn reads_spdx() {
    let text = r#"{"spdxVersion":"SPDX-2.3","name":"img","packages":[
 {"SPDXID":"SPDXRef-a","name":"musl","versionInfo":"1.2.4-r2","licenseDeclared":"MIT","sourceInfo":"built package from: musl 1.2.4-r2",
  "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:apk/alpine/musl@1.2.4-r2?distro=alpine-3.19.1"}]},
 {"SPDXID":"SPDXRef-b","name":"ssl","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:apk/alpine/ssl_client@1.36-r1"}]}],
 "relationships":[{"spdxElementId":"SPDXRef-a","relationshipType":"DEPENDENCY_OF","relatedSpdxElement":"SPDXRef-b"}]}"#;
    let sbom = read(text.as_bytes()).unwrap();
    assert_eq!(sbom.distro.unwrap().version_id.as_deref(), Some("3.19.1"));
    assert_eq!(sbom.packages[1].depends_on, [sbom.packages[0].purl.clone()]);
}

#[test]
fn reads_spdx_tags() {
    let text = "SPDXVersion: SPDX-2.3\r\n# a comment: x\nDocumentName: img\n\nFileName: ./x\nSPDXID: SPDXRef-File\n
PackageName: musl\nSPDXID: SPDXRef-a\nPackageVersion: 1.2.4-r2\nPackageSourceInfo: <text>one: 1
built package from: musl 1.2.4-r2</text>\nPackageLicenseDeclared: MIT
ExternalRef: PACKAGE-MANAGER purl pkg:apk/alpine/musl@1.2.4-r2?distro=alpine-3.19.1\n
PackageName: ssl\nSPDXID: SPDXRef-b\nExternalRef: PACKAGE_MANAGER purl pkg:apk/alpine/ssl_client@1.36-r1
Relationship: SPDXRef-a DEPENDENCY_OF SPDXRef-b\nPackageComment: <text>never closed";
    let sbom = read(text.as_bytes()).unwrap();
    assert_eq!(sbom.subject.name, "img");
    assert_eq!(sbom.distro.unwrap().version_id.as_deref(), Some("3.19.1"));
    assert_eq!(sbom.packages[0].licenses, ["MIT"]);
    assert_eq!(sbom.packages[1].depends_on, [sbom.packages[0].purl.clone()]);
}

#[test]
fn refuses_what_is_none() {
    let deep = "[".repeat(100_000);
    for text in [
        "",
        "{}",
        "[]",
        "<html></html>",
        "<bom>",
        "{\"bomFormat\":\"CycloneDX\"}",
        deep.as_str(),
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text:.40}");
    }
    let deep = "<a>".repeat(100_000);
    assert!(read(deep.as_bytes()).is_err());
}

#[test]
fn fields_of_other_kinds_are_as_good_as_absent() {
    let text = r#"{"bomFormat":"CycloneDX","version":1,"metadata":[],"dependencies":{"ref":"a"},"components":[5,"x",null,["y"],
 {"type":7,"name":"musl","version":1.2,"purl":"pkg:apk/alpine/musl@1.2.4-r2","licenses":"MIT","hashes":[1],"properties":[{"name":3,"value":"x"},4],
  "evidence":{"occurrences":[{"location":{}},{"location":"lib/apk/db/installed"}]},"components":{"name":"z"}}]}"#;
    let sbom = read(text.as_bytes()).unwrap();
    assert_eq!(sbom.packages.len(), 1);
    assert_eq!(sbom.packages[0].evidence[0].path, "lib/apk/db/installed");
}

#[test]
fn packages_of_unknown_types_and_versions_beside_the_package_url_count() {
    let text = r#"{"bomFormat":"CycloneDX","components":[
 {"name":"a","purl":"pkg:bioconductor/a@1"},{"name":"b","version":"2","purl":"pkg:npm/b"},{"name":"c","purl":"pkg:npm/c"},
 {"name":"app","version":"1","purl":"pkg:oci/app@1"}]}"#;
    let sbom = read(text.as_bytes()).unwrap();
    let found: Vec<_> = sbom
        .packages
        .iter()
        .map(|package| (&*package.name, &*package.version))
        .collect();
    assert_eq!(found, [("a", "1"), ("b", "2")]);
}

#[test]
fn package_urls_alone_make_a_bill() {
    let purls = [
        "pkg:rpm/redhat/bind@9-1?epoch=32&arch=x86_64",
        "pkg:npm/%40a/b@1",
    ]
    .map(str::to_owned);
    let sbom = of_package_urls(&purls).unwrap();
    assert_eq!(
        (
            &*sbom.packages[0].version,
            sbom.packages[0].architecture.as_deref()
        ),
        ("32:9-1", Some("x86_64"))
    );
    assert_eq!(sbom.packages[1].name, "@a/b");
    for text in ["pkg:npm/x", "npm/x@1"] {
        assert!(of_package_urls(&[text.to_owned()]).is_err(), "{text}");
    }
}
