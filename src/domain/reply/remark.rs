//! Remarks that change nothing about a yes, whatever their words: thanks, an excuse for being late, a wish, why nobody minds,
//! who was told, where somebody can be reached, a line that is asked for afterwards.
//!
//! Each is known by words of its own, by what it must not hold, and by holding no word that stands in no remark. A remark never is the yes.

use super::words::Kind::{self, *};
use super::words::is_calm;

/// Words, and beginnings of words that end in `*`, of one remark.
type Signs = &'static str;

const THANKS: Signs = "thanks|thank|thx|danke|dank|merci|gracias|appreciate*";
const LATE: Signs =
    "late|delay*|slow|short|brief|brevity|spat*|verspat*|kurz*|tardi*|tard|retard|tardanza|demora|retraso";
const SORRY: Signs = "sorry|apolog*|excus*|pardon|entschuldig*|verzeih*|desole*|perdon*|disculp*|siento|lamento";
const WISHES: Signs = "good luck|have a|have a nice|enjoy|viel erfolg|viel gluck|viel spass|gutes gelingen|bon courage|bonne chance|bonne|bon we|bon week|belle|schone|schones|schonen|ein schones|einen schonen|frohe|frohes|que tenga*|que pase*|que vaya|buen|buena|feliz|greetings|gruss|grusse|gruesse|viele grusse|liebe grusse|saludos|un saludo|salutations";
const NOBODY: Signs = "nobody|no one|noone|niemand|keiner|personne|nadie|we dont work|i dont work|we do not work|wir arbeiten nicht|ne travaillons pas|ne travaille pas|no trabajamos|no trabajo";
const AT_WORK: Signs = "work*|arbeit*|travaill*|trabaj*|use*|using|nutz*|utilis*|usa|usan|office|buro|bureau|oficina|online|asleep|site|haus|there|notice*|merk*";
const ASLEEP: Signs =
    "asleep|sleep|sleeping|bed|schlaf*|bett|dors|dormir*|dort|couch*|lit|durmiendo|dormido|dormida|dormire*|cama";
const CLOSED: Signs =
    "closed|geschlossen|ferme|fermes|fermee|fermees|cerrado|cerrada|cerrados|cerradas|idle|quiet|ruhig|tranquil*|calme";
const TOLD: Signs = "informed|notified|told|warned|informiert|bescheid gegeben|vorgewarnt|benachrichtigt|prevenu*|previens|informe|informes|averti*|avisado|avise|informado|calendar|diary|kalender|eingetragen|agenda|anotado|apuntado|vermerkt";
const WHO: Signs = "i|ive|we|weve|ill|ich|wir|habe|haben|unser*|mein*|ist|sind|j|ai|je|nous|avons|notre|mon|mes|nos|he|hemos|ya|lo|la|el|los|my|our|the|everyone|everybody|it|its|steht|c|est";
const REACHED: Signs = "reachable|reached|reach|available by|available on|erreichbar|telefonisch|joignable|localizable|disposicion|disposition|verfugung|standby";
const TELL: Signs = "let us know|let me know|tell us|tell me|ping|shout|line|note|message|mail|email|send|drop|word|bescheid|bescheid geben|melden|nachricht|info|kurz*|message|mot|prevenir|prevenez|envoyer|envoyez|informer|avisen|avisad|avisa|avise*|correo|mensaje|agradeceria*|digan|decid";
const AFTER: Signs = "when|once|after|afterwards|as soon|sobald|wenn|nach|danach|hinterher|une fois|quand|des que|apres|lorsque|cuando|una vez|en cuanto|despues";
const DONE: Signs = "done|finished|complete*|completed|over|back|through|up|fertig|durch|erledigt|abgeschlossen|beendet|vorbei|lauft|laeuft|steht|termine*|fini*|fait|acabad*|acaba|termin*|listo|lista|hecho|funciona|afterwards|danach|hinterher|despues";
/// What makes a wish for news afterwards a promise of their own, or a condition.
const NO_REQUEST: Signs = "i|ill|we|well|ive|weve|ich|wir|je|j|nous|on|yo|our|my|unser*|mein*|notre|mon|nuestr*|mi|before|first|only|if|unless|until|bevor|vorher|zuerst|erst|nur|falls|bis|vor|avant|seulement|jusqu|antes|primero|solo|hasta|si";
const OURS: Signs =
    "office|buro|bureau|oficina|site|shop|company|firma|laden|werk|empresa|tienda|magasin|we|wir|nous|on";
/// Verbs with which somebody complains in the form of thanks; what makes "nobody" an objection.
const BITTER: Signs = "ruin*|choos*|pick*|cut|cutting|ignor*|destroy*|spoil*|forc*|wak*|kill*|break*|annoy*|interrupt*|disturb*|zerstor*|verderb*|verhag*|weck*|stor*|gach*|coup*|reveill*|impos*|arruin*|cort*|despert*|fastidi*|estrope*|impon*|again|immer|toujours|siempre|always|can|able|kann|konnen|konnte*|peut|pourra|peuvent|puede|pueden|podra*|need*|brauch*|besoin|necesit*|against|gegen|contra|contre|booked|fully|ausgebucht|full|busy|voll|plein*|lleno|llena|agree*|promis*|leav*|skip*|exempt*|exclu*|postpon*|mov*|shift*|wait*|verschieb*|versproch*|ausnehm*|warten|report*|decal*|esper*|aplaz*|deadline*|kunden*|customer*|critical|kritisch";

/// Words of remarks besides: of no condition.
const MORE: Signs = "weekend*|wochenende*|saturday*|samstag*|samedi*|sabado*|night*|nacht|nachts|nuit|noche|train|phone|handy|team*|kolleg*|colleague*|colegas|equipe|rainy|users|affected|wedding|customers|clients|kunden|everybody|everyone|alle|tous|todos|early|earlier|late|spat|tard|tarde|week|woche|semaine|semana|yesterday|gestern|hier|ayer|holiday*|urlaub|conge*|vacances|vacaciones|sick|krank|malade|enferm*|trip|travel*|unterwegs|reise|deplacement|viaje|meeting*|typos|tippfehler|company|firma|empresa|people|leute|gens|gente|fois|deja|avoir|wieder|alles|geben|gib|gebt|geht|sie|uns|mir|einfach|noch|petit|petite|operation|hayan|terminado|tanta|tan|telefonisch|telephone|telefono|responder|repondre|antworten|beantworten|collegues|collegue|london|berlin|carefully|careful|kind|clear|good|great|nice|work*|arbeit*|travail*|trabaj*|info*|mail*|note*|long|well|very|much|all|my|our|the|a|in|on|at|of|for|and|und|et|y|i|we|it|is|are|was|were|be|been|have|had|will|so|this|that|here|there|from";
/// Who says of themselves where they are reached.
const SELF: Signs = "i|ill|im|we|were|well|ich|wir|bin|sind|je|j|nous|on|yo|estoy|estare|estaremos|quedo|quedamos|you can|sie erreichen|termin|bei";
/// What asks for it in place of saying it.
const TO_KEEP: Signs =
    "keep*|make|please|bitte|stay*|remain*|bleib*|rest*|reste*|mant*|garder|should|must|need*|nicht|not|pas|no";
/// Telling that is still to be done.
const TO_DO: Signs = "to be|be informed|has to|have to|needs to|must|should|shall|please|bitte|noch|werden|wird|muss|mussen|sein|doivent|doit|etre|deben|debe|hay que|tienen|tiene|ser|merci de|advance|vorher|vorab|avance|antelacion|days|tage|jours|dias";

/// Whether a word may stand in a remark.
fn is_of_remarks(word: &String) -> bool {
    const ALL: [Signs; 16] = [
        THANKS, LATE, SORRY, WISHES, NOBODY, AT_WORK, ASLEEP, CLOSED, TOLD, WHO, REACHED, TELL, AFTER, DONE, OURS, MORE,
    ];
    // A telephone number.
    let number = word.starts_with(['0', '+']) || word.len() >= 6;
    let phone = number && word.chars().all(|c| c.is_ascii_digit() || c == '+');
    phone || is_calm(word) || ALL.iter().any(|signs| opens(std::slice::from_ref(word), signs))
}

fn holds(words: &[String], signs: Signs) -> bool {
    signs.split('|').any(|sign| (0..words.len()).any(|at| begins(&words[at..], sign)))
}

fn opens(words: &[String], signs: Signs) -> bool {
    signs.split('|').any(|sign| begins(words, sign))
}

fn begins(words: &[String], sign: &str) -> bool {
    let mut rest = words.iter();
    sign.split(' ').all(|part| {
        rest.next().is_some_and(|word| match part.strip_suffix('*') {
            Some(start) => word.starts_with(start),
            None => word == part,
        })
    })
}

/// Whether these words, of these kinds, only remark.
pub fn is_remark(words: &[String], kinds: &[Kind]) -> bool {
    let words: Vec<String> = words.iter().filter(|word| *word != ",").cloned().collect();
    if !words.iter().all(is_of_remarks) {
        return false;
    }
    let none_of = |bad: &[Kind]| !kinds.iter().any(|kind| bad.contains(kind));
    let plain = none_of(&[Yes, Suits, No, Not, Doubt, Maybe, Other, Rather, Would, Hedge, When]);
    let bitter = holds(&words, BITTER);
    // `Sorry` itself is a hedge; another one is a condition.
    let own = usize::from(holds(&words, "sorry|desole|desolee|perdon|siento|lamento"));
    let hedges = kinds.iter().filter(|kind| **kind == Hedge).count();
    let calm = none_of(&[Yes, Suits, No, Not, Doubt, Maybe, Other, Rather, Would, When]) && hedges <= own;
    if calm && words.len() <= 8 && holds(&words, SORRY) && holds(&words, LATE) {
        return true;
    }
    let asks = none_of(&[Yes, No, Not, Maybe, Other, Rather]) && holds(&words, TELL) && holds(&words, AFTER);
    if asks && holds(&words, DONE) && !holds(&words, NO_REQUEST) && !opens(&words, AFTER) {
        return true;
    }
    if bitter {
        return false;
    }
    let quiet = none_of(&[Yes, Suits, Doubt, Maybe, Other, Rather, Would, Hedge, When]);
    if quiet && holds(&words, NOBODY) && holds(&words, AT_WORK) {
        return true;
    }
    plain
        && (opens(&words, THANKS)
            || words.len() <= 8 && opens(&words, WISHES)
            || holds(&words, ASLEEP)
            || holds(&words, CLOSED) && holds(&words, OURS)
            || holds(&words, TOLD)
                && holds(&words, WHO)
                && !holds(&words, TO_DO)
                && !holds(&words, "you|ihnen|euch|vous|os|les")
            || opens(&words, SELF) && holds(&words, REACHED) && !holds(&words, TO_KEEP))
}

#[cfg(test)]
mod tests {
    use super::super::words::tokens;
    use super::*;

    #[test]
    fn thanks_are_a_remark_and_bitter_thanks_are_none() {
        let remark = |text: &str| is_remark(&tokens(text), &[Unknown]);
        assert!(remark("Thanks for taking care of this so late") && remark("Danke für die frühzeitige Ankündigung"));
        assert!(!remark("Thanks for ruining our weekend") && !remark("Nobody can work then"));
        assert!(remark("Drop us a line when you are done") && !remark("When you are done with us, drop us a line"));
        assert!(!is_remark(&tokens("Thanks but no"), &[Polite, Hedge, No]));
        assert!(!remark("I send a mail when our backup is done") && !remark("We are fully booked in the calendar"));
        assert!(!remark("Thanks for agreeing to leave us out") && !remark("Our tunnels dont work"));
        assert!(!is_remark(&tokens("Sorry for the late reply but only until then"), &[Hedge, Polite, Hedge]));
    }
}
