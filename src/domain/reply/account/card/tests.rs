//! Which lines are of a signature, and which are not.

use super::*;

fn is(line: &str) -> bool {
    let own = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (names, firm) = (own("ada okafor ao a o"), own("acme"));
    is_card(line, &Owner { names: &names, firm: &firm, email: "ada.okafor@acme.example" }, true)
}

#[test]
fn lines_of_a_signature_are_known_in_the_dress_of_four_languages() {
    let lines = [
        "Ada Okafor",
        "Ada Okafor MSc",
        "Tel. +49 221 5550-143 · Fax -199",
        "Tél. : +33 (0)4 99 55 01 22 - Port. : +33 (0)6 39 98 01 22",
        "Telefon 0831 / 55 50 14, Telefax 0831 / 55 50 15",
        "514 555-0162, poste 204",
        "R.C.S. Luxembourg B 155.501 – T +352 55 50 21-1",
        "Acme SARL – 11, rue du Port, L-1449 Luxembourg",
        "1250, boul. René-Lévesque Ouest, Montréal (Québec) H3B 4W8",
        "Pol. Ind. Malpica, calle E, nave 8, 50016 Zaragoza",
        "FN 291774k, Landesgericht für ZRS Graz, UID ATU63418829",
        "Place de la République – 47300 Acme",
        "1. Vorsitzende",
        "Siège social : Lyon",
        "SIRET : 812 345 678 00012",
        "Registered office: 12 Harbour Road, Edinburgh EH12 9DF",
        "IBAN: DE02120300000000202051",
        "(404) 555-0162 (o) | (404) 555-0163 (f)",
        "Open Tues-Sat 9-17.30",
        "Office hours: Tue-Fri 9-17",
        "Ouvert du mardi au samedi de 10h à 18h30",
        "Inh. Ada Okafor e. K.",
        "i. A. Dipl.-Ing. Ada Okafor",
        "Ada Okafor (she/her)",
        "Head of Data Platform | Acme Ltd",
        "Senior Site Reliability Engineer",
        "Acme Ltd, 12 Harbour Street, London E1 6AN",
        "Tel.: +44 20 7946 0991",
        "T +44 20 7946 0991 | M +44 7700 900123",
        "ada.okafor@acme.example",
        "www.acme.example",
        "Registered in England and Wales No. 01234567. VAT GB 123 4567 89",
        "Leiterin IT-Betrieb",
        "Acme GmbH",
        "Hafenstraße 12",
        "20457 Hamburg",
        "Telefon: +49 40 123456-78",
        "Amtsgericht Hamburg, HRB 12345",
        "Geschäftsführer: Dr. Jan Petersen, Maria Schulz",
        "Sitz der Gesellschaft: Hamburg",
        "Acme AG | Hafenstr. 12 | 20457 Hamburg | Germany",
        "Registergericht: Hamburg HRB 12345 | USt-IdNr.: DE123456789",
        "Directrice technique",
        "12 rue du Port, 75001 Paris",
        "Port. : 06 12 34 56 78",
        "Acme SAS au capital de 50 000 € - RCS Paris 123 456 789",
        "Responsable de Sistemas",
        "C/ del Puerto 12, 28001 Madrid",
        "Tfno.: +34 91 123 45 67",
        "Ada Okafor | Ingeniera de sistemas | +34 600 123 456",
        "Tel: +49 40 123456-78 (Mon-Fri 9-17)",
        "24/7 hotline: +44 20 7946 0999",
        "Security Operations Center (SOC)",
        "Follow us: LinkedIn | Twitter | YouTube",
        "Acme Widgets Ltd.",
        "+44 20 7946 0991",
        "Systemadministration",
        "Acme France",
        "Responsable informatique, Acme France",
        "E: ada.okafor@acme.example",
        "ISO 27001 certified",
        "22 Elm Road, Portland, OR 97201",
        "22 Elm Road",
        "OR 97201",
        "Unit 7, Kingsway Business Park, Leeds LS10 1AB",
        "Phone: +44 113 496 0025 (Mon-Fri 08:30-17:00)",
        "Service desk: servicedesk@acme.example",
        "Acme S.L.U. | Avda. Diagonal 512, 08006 Barcelona | 93 555 01 44",
        "Ronda de la Comunicación s/n, 28050 Madrid",
        "C/ Mayor, 45, 2.º B - 28013 Madrid",
        "Grand Canal Dock, Dublin 2",
        "Acme Logistik GmbH & Co. KG, Hafenring 21, 47119 Duisburg",
        "Acme Holding SE · Speicherstadt 4 · 20457 Hamburg",
        "Avenue Louise 321 Louizalaan, 1050 Bruxelles",
        "TVA/BTW BE 0123.456.789",
        "Sprechzeiten: Mo–Do 8–19 Uhr, Fr 8–14 Uhr",
        "Geschäftsführer: Dr. Jens Wolter, Miriam Aydin",
        "Geschäftsführer: Dr. Jens Wolter, Miriam Aydin | USt-IdNr. DE255501420",
        "Inh. A. Okafor",
        "Menuiserie Acme, Annecy",
        "Sekretariat: 0521 555 33-0",
        "Am Kanal 3",
        "5, quai des Chartrons - 33000 Bordeaux",
        "Level 5, 100 George Street, Sydney NSW 2000",
        "RCS Lille Métropole 512 345 678",
        "Tél. support : 09 70 55 01 00 (du lundi au vendredi, 8h-19h)",
        "Centro de atención: 900 555 010 (L-V, 9:00-18:00)",
        "Inscrita en el Registro Mercantil de Madrid, tomo 12345, folio 67, hoja M-234567. CIF B12345678",
    ];
    let lost: Vec<&str> = lines.into_iter().filter(|line| !is(line)).collect();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn what_somebody_says_in_the_shape_of_one_is_none() {
    for line in [
        "2026-12-03",
        "03.12.2026",
        "Ada Okafor, 03.12.2026 - 20.00",
        "2300-0100",
        "LEAVE SALES TEAM CONNECTED",
        "PRODUCTION SYSTEMS IN USE",
        "TALK TO BOB +44 20 7946 0991",
        "Unverbindlich",
        "Mentira",
        "Skip Germany",
        "Skip Payroll",
        "Bob Lee",
        "Bob Lee Has Final Say bob@acme.example",
        "bob@acme.example",
        "Working hours: Thu 22:00 to 23:00",
        "Tel. +44 20 7946 0991, Thursdays",
        "Phone: 2330-0030",
        "Office: 3.12. 20:00",
        "Operations Manager, for Ada",
        "Call centre closed +44 20 7946 0991",
        "Geschäftsführer: Bob Entscheidet",
        "Geschäftsführer: Wartet Noch",
        "Acme Wartet Ltd",
        "12 Wait Street",
        "https://acme.example/only-if-Bob-agrees",
        "+44 20 7946 0991 Bob Decides Everything",
        "HRB 03.12.2026",
        "03.12.26 22.00-23.30",
        "3Dec 22h",
        "Berlin 3DEC 2300",
        "03/12/26 22.00",
        "Block Thursday 22h",
        "Close Friday 22h",
        "Park 2 Weeks",
        "12 Thursday Street",
        "Sofia",
        "Operations at Risk",
        "Time zone: New York",
        "Ada Okafor (on leave)",
        "Tel: +49 40 123456-78 (Mon-Thu 22-23)",
        "Open Tue-Wed 22-24",
        "Open Tuesday",
        "Pour audit",
        "En étude",
        "À la direction",
        "IBAN: WAIT FOR BOB 12",
    ] {
        assert!(!is(line), "{line}");
    }
}

#[test]
fn who_writes_in_their_place_is_nobody_s_signature() {
    let own = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (names, firm) = (own("ada okafor ao a o"), own("acme"));
    let owner = Owner { names: &names, firm: &firm, email: "ada.okafor@acme.example" };
    for line in [
        "Jan Petersen | Acme GmbH | Hafenstraße 12 | 20457 Hamburg",
        "Paul Martin, Acme SA, Paris",
        "Xaver Quandt, Hafenstraße 12, 20457 Hamburg",
        "Executive Assistant / Acme Ltd",
        "Reception, Acme Ltd",
        "Leiterin IT-Betrieb, Ada Okafor",
        "Geschäftsführer: Jan Petersen",
        "Gegenvorschlag: 03 12 26 23 00",
        "031226 2300",
        "Freigeber: +49 40 123456-78",
        "Phone Bob: +44 20 7946 0991",
    ] {
        assert!(!is_card(line, &owner, false), "{line}");
    }
    for line in [
        "Acme GmbH | Hafenstraße 12 | 20457 Hamburg",
        "Ada Okafor, Leiterin IT-Betrieb",
        "Acme GmbH",
        "Tel. 040 123456",
    ] {
        assert!(is_card(line, &owner, false), "{line}");
    }
}
