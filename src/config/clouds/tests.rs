//! What clouds.yaml means, case by case, without a process environment.

use super::*;
use std::os::unix::fs::PermissionsExt;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.0.path().join("work")).unwrap();
        for (name, text) in files {
            let path = folder.0.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn sources(&self, variables: &[(&str, &str)]) -> Environment {
        let home = ("HOME".to_owned(), self.0.path().join("home").display().to_string());
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment { file: None, directory: self.0.path().join("work"), variables: variables.chain([home]).collect() }
    }
}

const WORK: &str = "work/clouds.yaml";

fn cloud(yaml: &str, variables: &[(&str, &str)]) -> Result<Cloud, CloudError> {
    let folder = Folder::new(&[(WORK, &format!("clouds:\n  c:\n    auth: {{{yaml}}}\n"))]);
    read(&folder.sources(variables), "c")
}

fn by_name(name: &str, domain: Domain) -> Named {
    Named::Name { name: name.into(), domain }
}

fn default() -> Domain {
    Domain::Id("default".into())
}

#[test]
fn a_password_that_looks_like_a_number_stays_the_text_that_it_is() {
    let yaml = "auth_url: http://k, username: op, password: 0123, project_id: 12e45";
    let Auth::Password { user, password, project } = cloud(yaml, &[]).unwrap().auth else { panic!() };
    assert_eq!((password.expose(), project), ("0123", Named::Id("12e45".into())));
    assert_eq!(user, by_name("op", default()));
}

#[test]
fn home_goes_before_the_working_folder_and_json_is_read_too() {
    let clouds = |url: &str| format!(r#"{{"clouds": {{"c": {{"auth": {{"auth_url": "{url}", "token": "t"}}}}}}}}"#);
    let files =
        [("home/.config/openstack/clouds.yml", clouds("http://home")), ("work/clouds.json", clouds("http://work"))];
    let both = Folder::new(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let cloud = read(&both.sources(&[]), "c").unwrap();
    assert_eq!(cloud.auth_url, "http://home");
    assert!(matches!(&cloud.files[..], [file] if file.ends_with(files[0].0)), "{:?}", cloud.files);
    let work = Folder::new(&[(files[1].0, &files[1].1)]);
    assert_eq!(read(&work.sources(&[]), "c").unwrap().auth_url, "http://work");
    let named = Environment { file: Some("../work/clouds.json".into()), ..both.sources(&[]) };
    assert_eq!(read(&named, "c").unwrap().auth_url, "http://work");
}

#[test]
fn files_that_others_can_change_are_refused_wherever_they_were_found() {
    let clouds = "clouds: {c: {auth: {auth_url: http://k, token: t}}}\n";
    let mode = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    for name in [WORK, "home/.config/openstack/clouds.yaml", "home/.config/openstack/secure.yaml", "work/secure.yaml"] {
        let folder = Folder::new(&[(WORK, clouds), (name, clouds)]);
        let file = folder.0.path().join(name);
        assert!(read(&folder.sources(&[]), "c").is_ok(), "{name}");
        mode(&file, 0o664);
        let error = read(&folder.sources(&[]), "c").unwrap_err();
        assert!(error.to_string().contains(&format!("chmod go-w {}", file.display())), "{error}");
        mode(&file, 0o644);
        mode(file.parent().unwrap(), 0o757);
        let error = read(&folder.sources(&[]), "c").unwrap_err();
        // The first of the folder's files is the one that is told.
        let told = matches!(&error, CloudError::Untrusted { file: named, .. } if named.parent() == file.parent());
        assert!(told, "{error}");
    }
}

#[test]
fn in_a_sticky_folder_a_file_counts_only_where_it_is_named() {
    let folder = Folder::new(&[(WORK, "clouds: {c: {auth: {auth_url: http://k, token: t}}}\n")]);
    std::fs::set_permissions(folder.0.path().join("work"), PermissionsExt::from_mode(0o1777)).unwrap();
    let error = read(&folder.sources(&[]), "c").unwrap_err().to_string();
    assert!(error.contains("working folder") && error.contains("cloud.clouds_file"), "{error}");
    let named = Environment { file: Some("clouds.yaml".into()), ..folder.sources(&[]) };
    assert!(read(&named, "c").is_ok());
}

#[test]
fn secure_yaml_lies_on_top_and_both_files_can_be_named() {
    let clouds = "clouds:\n  c:\n    verify: no\n    region_name: one\n    interface: internalURL\n    auth: {auth_url: http://k, \
                  application_credential_id: i}\n  d:\n";
    let secure = "clouds: {c: {auth: {application_credential_secret: s}}}\n";
    let folder = Folder::new(&[("a/x.yaml", clouds), ("b/y.yaml", secure)]);
    let variables = [("OS_CLIENT_CONFIG_FILE", "../a/x.yaml"), ("OS_CLIENT_SECURE_FILE", "../b/y.yaml")];
    let cloud = read(&folder.sources(&variables), "c").unwrap();
    let secret = Hidden::new("s".into());
    assert_eq!(cloud.auth, Auth::ApplicationCredential { credential: Credential::Id("i".into()), secret });
    assert_eq!((cloud.verify, cloud.region.as_deref(), cloud.interface.as_str()), (false, Some("one"), "internal"));
    // Beside a file that is named, secure.yaml is found by itself.
    let folder = Folder::new(&[("a/x.yaml", clouds), ("a/secure.yaml", secure)]);
    assert!(read(&folder.sources(&variables[..1]), "c").is_ok());
}

#[test]
fn variables_fill_what_the_files_leave_out_and_nothing_else() {
    let variables = [
        ("OS_PASSWORD", "from-env"),
        ("OS_TOKEN", "not-this"),
        ("OS_PROJECT_ID", "not-this-either"),
        ("OS_REGION_NAME", "two"),
        ("OS_USER_DOMAIN_NAME", "people"),
    ];
    let cloud = cloud("auth_url: http://k, username: op, project_name: ops", &variables).unwrap();
    assert_eq!(cloud.region.as_deref(), Some("two"));
    let Auth::Password { user, password, project } = cloud.auth else { panic!() };
    assert_eq!(password.expose(), "from-env");
    assert_eq!((user, project), (by_name("op", Domain::Name("people".into())), by_name("ops", default())));
}

#[test]
fn the_variables_alone_are_the_cloud_envvars() {
    let folder = Folder::new(&[]);
    let variables = [
        ("OS_AUTH_URL", "http://k"),
        ("OS_APPLICATION_CREDENTIAL_NAME", "cg"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
        ("OS_USERNAME", "op"),
        ("OS_INSECURE", "1"),
    ];
    let cloud = read(&folder.sources(&variables), FROM_VARIABLES).unwrap();
    let Auth::ApplicationCredential { credential, .. } = &cloud.auth else { panic!() };
    assert_eq!(*credential, Credential::Name { name: "cg".into(), user: by_name("op", default()) });
    assert!(!cloud.verify);
    assert!(
        matches!(read(&folder.sources(&variables), "c"), Err(CloudError::NoFile { searched, .. }) if searched.len() == 9)
    );
}

#[test]
fn every_error_names_cloud_and_field_and_no_value() {
    for (yaml, wanted) in [
        ("username: op, password: hush", "auth_url is missing"),
        ("auth_url: http://k, username: op", "password is missing"),
        ("auth_url: http://k, password: hush, project_id: p", "username is missing"),
        ("auth_url: http://k, username: op, password: hush", "project_name is missing"),
        ("auth_url: http://k", "auth holds no login"),
        ("auth_url: http://k, application_credential_id: i", "application_credential_secret is missing"),
    ] {
        let error = cloud(yaml, &[]).unwrap_err().to_string();
        assert!(error.contains(wanted) && error.contains("\"c\"") && !error.contains("hush"), "{error}");
    }
}

#[test]
fn a_broken_file_is_told_by_its_line_and_never_quoted() {
    let folder = Folder::new(&[(WORK, "clouds:\n  c:\n    auth:\n      password: [hush\n")]);
    let error = read(&folder.sources(&[]), "c").unwrap_err().to_string();
    assert!(error.contains("line ") && !error.contains("hush"), "{error}");
    let folder = Folder::new(&[(WORK, "clouds: {c: {verify: perhaps, auth: {auth_url: x, token: t}}}")]);
    let error = read(&folder.sources(&[]), "c").unwrap_err().to_string();
    assert!(error.contains("verify must be true or false"), "{error}");
}

#[test]
fn a_cloud_that_is_not_there_is_told_with_those_that_are() {
    let folder = Folder::new(&[(WORK, "clouds: {prod: {}, test: {}}")]);
    let error = read(&folder.sources(&[]), "prd").unwrap_err().to_string();
    assert!(error.ends_with("it names prod, test"), "{error}");
    let folder = Folder::new(&[]);
    let gone = folder.sources(&[("OS_CLIENT_CONFIG_FILE", "gone.yaml")]);
    assert!(matches!(read(&gone, "c"), Err(CloudError::Unreadable { .. })));
}

#[test]
fn a_cloud_does_not_print_its_password() {
    let cloud = cloud("auth_url: http://k, username: op, password: hush, project_id: p", &[]).unwrap();
    assert!(!format!("{cloud:?}").contains("hush"));
}
